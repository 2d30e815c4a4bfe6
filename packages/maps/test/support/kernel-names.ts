import { Fd, mapFreeze, progTestRun } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { mapFlags } from '@tsbpf/uapi'
import { createMap, indexCodec } from '../../src/index.ts'
import {
  add,
  call,
  insn,
  jumpIfZero,
  loadProgram,
  mapFd,
  mov,
  movReg,
  returnZero,
  storeWord,
} from './programs.ts'
import { shape, u64 } from './shapes.ts'

/** What the kernel's own %pS says of each address (bpf_snprintf, Linux 5.13): `vfs_read+0x9b/0x200`. */
export function kernelNames(sys: Sys, addresses: readonly bigint[]): readonly string[] {
  const readOnly = mapFlags.value('rdonly_prog')
  using format = createMap(sys, shape('array', { valueSize: 8, maxEntries: 1, flags: readOnly }))
  format.set(new Uint8Array(4), new TextEncoder().encode('%pS\0\0\0\0\0'))
  mapFreeze(sys, format.fd)
  using input = createMap<number, bigint>(sys, shape('array', { maxEntries: 1 }), {
    codecs: { key: indexCodec, value: u64 },
  })
  using output = createMap<number>(sys, shape('array', { valueSize: 256, maxEntries: 1 }), {
    codecs: { key: indexCodec },
  })
  const lookup = (map: number): number[] => [
    ...mapFd(1, map),
    ...movReg(2, 10),
    ...add(2, -4),
    ...call('map_lookup_elem'),
  ]
  const print = [
    ...movReg(1, 7),
    ...mov(2, 256),
    // The address of the first value, which is what a constant string is.
    ...insn(0x18, 3, 2, 0, format.fd),
    ...insn(0, 0),
    ...movReg(4, 6),
    ...mov(5, 8),
    ...call('snprintf'),
  ]
  const second = [...lookup(output.fd), ...jumpIfZero(0, 1 + print.length / 8), ...movReg(7, 0), ...print]
  using program = new Fd(
    sys,
    loadProgram(sys, 'xdp', [
      ...storeWord(10, -4, 0),
      ...lookup(input.fd),
      ...jumpIfZero(0, 1 + second.length / 8),
      ...movReg(6, 0),
      ...second,
      ...returnZero,
    ]),
    'program',
  )
  return addresses.map((address) => {
    input.set(0, address)
    progTestRun(sys, { prog_fd: program.value, data_in: new Uint8Array(64), repeat: 1 })
    const text = output.get(0) ?? new Uint8Array(0)
    return new TextDecoder().decode(text.subarray(0, text.indexOf(0)))
  })
}
