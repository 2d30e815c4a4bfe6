import { callGraph, encodeInsns, parseInsns, stackUse } from '@tsbpf/isa'
import { progLoad } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { progTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { leavesNothing } from '../kernel-objects.ts'

const gate = requires({ root: true, kernel: [5, 2], reason: 'loads programs' })

/** BPF_LOG_STATS of include/linux/bpf_verifier.h: the log has how deep the stack of each function is. */
const statistics = 4

const programs: Readonly<Record<string, string>> = {
  'no stack': 'r0 = 0\nexit',
  'a byte': '*(u8 *)(r10 - 1) = 7\nr0 = 0\nexit',
  'a word that is not aligned to eight': '*(u32 *)(r10 - 20) = 7\nr0 = *(u32 *)(r10 - 20)\nexit',
  'an address for a helper':
    'r1 = r10\nr1 += -32\nr2 = 16\n*(u64 *)(r10 - 32) = 0\n*(u64 *)(r10 - 24) = 0\ncall 16\nr0 = 0\nexit',
  'an address that is moved on': 'r2 = r10\nr2 += -64\nr2 += 24\n*(u64 *)(r2 - 8) = 1\nr0 = 0\nexit',
  'a chain of functions': `
    *(u64 *)(r10 - 40) = 1
    call first
    call second
    r0 = 0
    exit
    first: *(u64 *)(r10 - 96) = 1
    r0 = 0
    exit
    second: *(u64 *)(r10 - 8) = 1
    call third
    exit
    third: *(u64 *)(r10 - 72) = 1
    r0 = 0
    exit`,
}

describe.skipIf(gate.skip)(gate.title('stack use'), () => {
  it.each(Object.entries(programs))('%s: as deep as the verifier says', async (_, text) => {
    const { insns } = parseInsns(text, { dialect: 'llvm' })
    const { own, exact, deepest } = stackUse(callGraph(insns))
    await leavesNothing(() => {
      const sys = nativeSys()
      const log_buf = new Uint8Array(1 << 12)
      const { fd } = progLoad(sys, {
        prog_type: progTypes.value('tracepoint'),
        insns: encodeInsns(insns, { littleEndian: true }),
        license: 'GPL',
        log_buf,
        log_level: statistics,
      })
      if (fd >= 0) sys.close(fd)
      const log = new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0)))
      expect(fd, log).toBeGreaterThanOrEqual(0)
      expect(/^stack depth (.*)$/m.exec(log)?.[1]).toBe(own.join('+'))
    })
    expect(exact.every(Boolean)).toBe(true)
    expect(deepest?.bytes).toBeGreaterThanOrEqual(Math.max(...own))
  })

  // Tracing programs have a stack for each function where the machine can do so.
  it('knows how deep a chain may be', async () => {
    const chain = (bytes: number): string =>
      `*(u64 *)(r10 - ${bytes}) = 1\ncall next\nexit\nnext: *(u64 *)(r10 - 256) = 1\nr0 = 0\nexit`
    for (const [bytes, loads] of [
      [256, true],
      [264, false],
    ] as const) {
      const { insns } = parseInsns(chain(bytes), { dialect: 'llvm' })
      await leavesNothing(() => {
        const sys = nativeSys()
        const { fd } = progLoad(sys, {
          prog_type: progTypes.value('socket_filter'),
          insns: encodeInsns(insns, { littleEndian: true }),
          license: 'GPL',
        })
        if (fd >= 0) sys.close(fd)
        expect(fd >= 0).toBe(loads)
      })
      expect((stackUse(callGraph(insns)).deepest?.bytes ?? 0) <= 512).toBe(loads)
    }
  })
})
