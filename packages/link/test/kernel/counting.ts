import { mapCreate, mapElements, progLoad } from '@tsbpf/sys'
import type { ProgLoadFields, Sys } from '@tsbpf/sys'
import { attachTypes, mapTypes, progTypes, pseudo } from '@tsbpf/uapi'
import { helpers } from '@tsbpf/uapi/helpers'
import type { AttachTypeName, ProgTypeName } from '@tsbpf/uapi'
import type { AttachableProgram } from '../../src/index.ts'

/** Instructions as bytes; written out here because the assembler is on a higher floor. */
function insn(opcode: number, dst: number, src = 0, off = 0, imm = 0): number[] {
  const view = new DataView(new ArrayBuffer(8))
  view.setUint8(0, opcode)
  view.setUint8(1, (src << 4) | dst)
  view.setInt16(2, off, true)
  view.setInt32(4, imm, true)
  return [...new Uint8Array(view.buffer)]
}
const movImm = (dst: number, imm: number): number[] => insn(0xb7, dst, 0, 0, imm)
const movReg = (dst: number, src: number): number[] => insn(0xbf, dst, src)
const call = (name: Parameters<typeof helpers.value>[0]): number[] => insn(0x85, 0, 0, 0, helpers.value(name))
const exit = insn(0x95, 0)

/** A program that counts in a map how often it runs. */
export interface CountingProgram {
  readonly type: ProgTypeName
  readonly attachType?: AttachTypeName
  /** Counts only what this process does. */
  readonly ofProcess?: number
  /** What else it notes each time: 8 bytes of its context at an offset, or the cookie of its attachment. */
  readonly notes?: number | 'cookie'
  /** What it returns where it counts: 0 unless given. */
  readonly returns?: number
  /** What it returns elsewhere: 0 unless given. */
  readonly returnsElsewhere?: number
  readonly load?: Partial<ProgLoadFields>
}

/** A loaded {@link CountingProgram}; the caller closes it. */
export interface Counter extends Disposable {
  readonly program: AttachableProgram
  runs(): number
  /** The last thing noted. */
  noted(): bigint
}

/** Instructions of a counting program; `map` is an array whose value is the number of runs and what was noted. */
function instructions(test: CountingProgram, map: number): number[] {
  const { ofProcess, notes, returns = 0, returnsElsewhere = 0 } = test
  const note =
    notes === undefined
      ? movImm(7, 0)
      : notes === 'cookie'
        ? [...movReg(1, 6), ...call('get_attach_cookie'), ...movReg(7, 0)]
        : insn(0x79, 7, 6, notes)
  const count = [
    ...note,
    ...insn(0x18, 2, pseudo.value('map_value'), 0, map),
    ...insn(0, 0),
    ...insn(0x7b, 2, 7, 8), // map[8] = r7
    ...movImm(1, 1),
    ...insn(0xdb, 2, 1, 0), // lock map[0] += 1
    ...movImm(0, returns),
    ...exit,
  ]
  const filter =
    ofProcess === undefined
      ? []
      : [
          ...call('get_current_pid_tgid'),
          ...insn(0x77, 0, 0, 0, 32), // r0 >>= 32
          ...insn(0x55, 0, 0, count.length / 8, ofProcess), // if r0 != ofProcess, to the end
        ]
  const elsewhere = ofProcess === undefined ? [] : [...movImm(0, returnsElsewhere), ...exit]
  return [...movReg(6, 1), ...filter, ...count, ...elsewhere]
}

/** Loads a counting program. The verifier's log is in the error. */
export function countingProgram(sys: Sys, test: CountingProgram): Counter {
  const sizes = { keySize: 4, valueSize: 16 }
  const map = mapCreate(sys, {
    map_type: mapTypes.value('array'),
    key_size: 4,
    value_size: 16,
    max_entries: 1,
  })
  const log_buf = new Uint8Array(65_536)
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value(test.type),
    expected_attach_type: test.attachType === undefined ? 0 : attachTypes.value(test.attachType),
    insns: Uint8Array.from(instructions(test, map)),
    license: 'GPL',
    log_buf,
    log_level: 1,
    ...test.load,
  })
  if (fd < 0) {
    sys.close(map)
    const log = new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0)))
    throw new Error(`${test.type} cannot be loaded: ${fd}\n${log}`)
  }
  const elements = mapElements(sys, map, sizes)
  const value = (at: number): bigint => {
    if (elements.lookup() < 0) throw new Error('the map cannot be read')
    const { buffer, byteOffset } = elements.value
    return new DataView(buffer, byteOffset).getBigUint64(at, true)
  }
  return {
    program: { fd, name: 'counting' },
    runs: () => Number(value(0)),
    noted: () => value(8),
    [Symbol.dispose]: () => {
      sys.close(fd)
      sys.close(map)
    },
  }
}
