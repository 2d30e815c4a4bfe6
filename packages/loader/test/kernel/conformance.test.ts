import type { Insn } from '@tsbpf/isa'
import { encodeInsns, makeInsn, parseInsns } from '@tsbpf/isa'
import { progLoad, progTestRun } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { conformanceFiles, corpusDir, corpusMissing, requires } from '@tsbpf/testkit'
import { progTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { notRun } from './conformance-not-run.ts'
import { leavesNothing } from './kernel-objects.ts'

const gate = requires({ root: true, reason: 'loads and runs programs' })
const files = conformanceFiles()

/** A test run of XDP wants an Ethernet header at least. */
const smallestPacket = 14
const resultBytes = 8
const passed = 2

/** Offsets in struct xdp_md (include/uapi/linux/bpf.h). */
const xdpData = 0
const xdpDataEnd = 4

/**
 * The test as a subprogram of an XDP program. The packet holds 8 bytes for the result, which r0 may fill to the last
 * bit, and behind them `-- mem`; as in other runners, r1 points there and r2 is its length.
 */
function harness(test: readonly Insn[], mem: Uint8Array | undefined): readonly Insn[] {
  const call = (after: number): Insn => makeInsn('call_subprogram', { imm: after })
  const end = [
    makeInsn('stxdw', { dst: 6, src: 0 }),
    makeInsn('mov64_imm', { dst: 0, imm: passed }),
    makeInsn('exit'),
  ]
  const bytes = mem?.length ?? 0
  const start = [
    makeInsn('ldxw', { dst: 6, src: 1, off: xdpData }),
    makeInsn('ldxw', { dst: 2, src: 1, off: xdpDataEnd }),
    makeInsn('mov64_reg', { dst: 1, src: 6 }),
    makeInsn('add64_imm', { dst: 1, imm: resultBytes + bytes }),
    // To the end with 0 where the packet is too short, which it is not: the verifier must see it asked.
    makeInsn('jle_reg', { dst: 1, src: 2, off: 2 }),
    makeInsn('mov64_imm', { dst: 0, imm: 0 }),
    makeInsn('exit'),
    ...(mem === undefined
      ? [makeInsn('mov64_imm', { dst: 1 })]
      : [makeInsn('mov64_reg', { dst: 1, src: 6 }), makeInsn('add64_imm', { dst: 1, imm: resultBytes })]),
    makeInsn('mov64_imm', { dst: 2, imm: bytes }),
  ]
  return [...start, call(end.length), ...end, ...test]
}

interface Outcome {
  readonly result: bigint | undefined
  readonly log: string
}

function run(asm: string, mem: Uint8Array | undefined): Outcome {
  const sys = nativeSys()
  const { insns } = parseInsns(asm, { dialect: 'conformance' })
  const log_buf = new Uint8Array(1 << 16)
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value('xdp'),
    insns: encodeInsns(harness(insns, mem), { littleEndian: true }),
    license: 'GPL',
    log_buf,
    log_level: 1,
  })
  const log = new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0)))
  if (fd < 0) return { result: undefined, log }
  try {
    const data_in = new Uint8Array(Math.max(smallestPacket, resultBytes + (mem?.length ?? 0)))
    if (mem !== undefined) data_in.set(mem, resultBytes)
    const data_out = new Uint8Array(data_in.length)
    const { retval } = progTestRun(sys, { prog_fd: fd, data_in, data_out })
    expect(retval).toBe(passed)
    return { result: new DataView(data_out.buffer).getBigUint64(0, true), log }
  } finally {
    sys.close(fd)
  }
}

describe.skipIf(corpusDir() === undefined)(
  corpusDir() === undefined ? `conformance (${corpusMissing})` : 'conformance',
  () => {
    describe.skipIf(gate.skip)(gate.title('test runs'), () => {
      it.each(files.filter(({ name }) => !notRun.has(name)))('$name', async ({ asm, mem, result }) => {
        await leavesNothing(() => {
          expect(run(asm, mem)).toEqual({ result, log: expect.any(String) as string })
        })
      })

      it.each(files.filter(({ name }) => notRun.has(name)))(
        '$name is refused',
        async ({ name, asm, mem }) => {
          await leavesNothing(() => {
            const { result, log } = run(asm, mem)
            expect(result).toBeUndefined()
            expect(log).toMatch(notRun.get(name)?.log ?? /^$/)
          })
        },
      )

      it('knows of no file that is not there', () => {
        const names = files.map((file) => file.name)
        expect([...notRun.keys()].filter((name) => !names.includes(name))).toEqual([])
      })
    })
  },
)
