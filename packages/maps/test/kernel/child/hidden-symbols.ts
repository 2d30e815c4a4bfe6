// Run as a user without CAP_SYSLOG: prints the error that kernelSymbols throws, as a line of JSON.
import { isTsbpfError } from '@tsbpf/base'
import { nativeSys } from '@tsbpf/sys/native'
import { kernelSymbols } from '../../../src/index.ts'

try {
  process.stdout.write(`${JSON.stringify({ count: kernelSymbols(nativeSys()).count })}\n`)
} catch (error) {
  if (!isTsbpfError(error)) throw error
  process.stdout.write(`${JSON.stringify({ code: error.code, hint: error.hint })}\n`)
}
