import { failure } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync, programOutput } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'
import { runOnPacket } from './test-run.ts'

const gate = requires({ root: true, kernel: [6, 17], reason: 'reads streams of programs' })

describe.skipIf(gate.skip)(gate.title('the output of a program'), () => {
  it('is read once, each stream for itself', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('prints'))
      const program = bpf.program('prints')
      const output = (stream: 'stdout' | 'stderr'): string => programOutput(nativeSys(), program.fd, stream)
      expect([output('stdout'), output('stderr')]).toEqual(['', ''])
      const result = runOnPacket(program) | 0
      // Some kernels never have memory for a stream where programs run; then nothing was printed.
      expect([0, failure('ENOMEM')]).toContain(result)
      expect(output('stdout')).toBe(result === 0 ? '7 of many\n' : '')
      expect(output('stderr')).toBe(result === 0 ? 'oh\n' : '')
      expect(output('stdout')).toBe('')
    })
  })
})
