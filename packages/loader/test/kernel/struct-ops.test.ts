import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { load, loadSync } from '../../src/index.ts'
import type { LoadedObject } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = requires({ root: true, kernel: [6, 4], reason: 'registers TCP congestion control' })
const child = new URL('./child/congested.mjs', import.meta.url).pathname

const available = (): readonly string[] =>
  readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ')

/** Sends over loopback of a namespace of its own; returns what went wrong. */
function send(name: string): string {
  const { stdout, stderr } = spawnSync('unshare', ['-n', process.execPath, child, name], { encoding: 'utf8' })
  return stdout === 'sent\n' ? '' : stderr
}

const counts = (bpf: LoadedObject): readonly bigint[] =>
  ['inits', 'acks'].map((name) => bpf.variable<bigint>(name).get())

/** TCP_CONG_NON_RESTRICTED of include/net/tcp.h: every network namespace may use it. */
const forAll = 1

describe.skipIf(gate.skip)(gate.title('struct_ops'), () => {
  it('registers a congestion control by a link, and TCP uses it', async () => {
    await leavesNothing(async () => {
      const structOps = { tsbpf_linked: { flags: forAll } }
      await using bpf = await load(objectSpec('congestion'), { structOps })
      expect(bpf.programs.map(({ name }) => name)).toEqual(['on_ssthresh', 'on_ack', 'on_init', 'on_undo'])
      expect(available()).not.toContain('tsbpf_linked')
      const link = bpf.attachStructOps('tsbpf_linked')
      expect(link.outlivesProcess).toBe(false)
      expect(link.info()).toMatchObject({ kind: 'struct_ops', type: 'struct_ops' })
      expect(available()).toContain('tsbpf_linked')
      expect(send('tsbpf_linked')).toBe('')
      const [inits = 0n, acks = 0n] = counts(bpf)
      expect(inits).toBeGreaterThanOrEqual(2n)
      expect(acks).toBeGreaterThan(0n)
      link.detach()
      expect(available()).not.toContain('tsbpf_linked')
      // The map keeps its value, and may be registered again.
      bpf.attachStructOps('tsbpf_linked').detach()
    })
  })

  it('registers all that an object has, also without a link, and takes them away with it', async () => {
    await leavesNothing(() => {
      {
        using bpf = loadSync(objectSpec('congestion'))
        const links = bpf.attach()
        expect(links.map(({ target, outlivesProcess }) => [target, outlivesProcess])).toEqual([
          ['tsbpf_linked', false],
          ['tsbpf_plain', true],
        ])
        expect(available()).toEqual(expect.arrayContaining(['tsbpf_linked', 'tsbpf_plain']))
      }
      expect(available()).not.toContain('tsbpf_linked')
      expect(available()).not.toContain('tsbpf_plain')
    })
  })

  it('takes shadow values: names, numbers, and other programs; asked for, also what is not made by itself', async () => {
    await leavesNothing(() => {
      const structOps = {
        tsbpf_linked: { init: null, name: 'tsbpf_renamed', flags: forAll },
        tsbpf_asked: { flags: forAll },
      }
      using bpf = loadSync(objectSpec('congestion'), { structOps })
      expect(bpf.programs.map(({ name }) => name)).toContain('on_init_twice')
      bpf.attach()
      expect(available()).toEqual(expect.arrayContaining(['tsbpf_renamed', 'tsbpf_asked']))
      expect(send('tsbpf_renamed')).toBe('')
      expect(counts(bpf)[0]).toBe(0n)
      expect(send('tsbpf_asked')).toBe('')
      expect(Number(counts(bpf)[0]) % 2).toBe(0)
      expect(counts(bpf)[0]).toBeGreaterThan(0n)
    })
  })

  it('says what does not fit', async () => {
    await leavesNothing(() => {
      const spec = objectSpec('congestion')
      const refused = [
        [{ nothing: {} }, 'LOADER_UNKNOWN_MAP', /no map is named nothing/],
        [{ tsbpf_linked: { color: 1 } }, 'LOADER_STRUCT_OPS', /member color: .* no such member/],
        [{ tsbpf_linked: { init: 'count' } }, 'LOADER_STRUCT_OPS', /name of a struct_ops program/],
        [{ tsbpf_linked: { flags: 'many' } }, 'LOADER_STRUCT_OPS', /member flags/],
        [{ tsbpf_linked: { name: new Uint8Array(3) } }, 'LOADER_STRUCT_OPS', /3 bytes, but the member 16/],
        [{ tsbpf_linked: { never_there: 'on_init' } }, 'LOADER_STRUCT_OPS', /kernel's struct .* has no such/],
      ] as const
      for (const [structOps, code, message] of refused) {
        expect(() => loadSync(spec, { structOps }), JSON.stringify(structOps)).toThrow(
          expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
        )
      }
      expect(() => loadSync(spec, { programs: ['on_init_twice'] })).toThrow(
        expect.objectContaining({ code: 'LOADER_NO_ATTACH_TARGET' }),
      )
    })
  })
})
