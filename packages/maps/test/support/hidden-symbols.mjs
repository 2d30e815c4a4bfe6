/** Run as a user without CAP_SYSLOG: prints the error that kernelSymbols throws. */
import { nativeSys } from '@tsbpf/sys/native'
import { kernelSymbols } from '../../src/index.ts'

try {
  console.log(kernelSymbols(nativeSys()).count)
} catch (error) {
  console.log(JSON.stringify({ code: error.code, hint: error.hint }))
}
