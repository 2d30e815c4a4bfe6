import { progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'

/** What a program gives for a packet of zeroes. */
export function runOnPacket(program: { readonly fd: number }): number {
  return progTestRun(nativeSys(), { prog_fd: program.fd, data_in: new Uint8Array(64) }).retval
}
