import { nativeSys } from '@tsbpf/sys/native'
import type { Sys } from '@tsbpf/sys'
import { descriptors, expectNoLeak, requires } from '@tsbpf/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMap, objectCodec } from '../../src/index.ts'
import type { BpfMap, HasFd } from '../../src/index.ts'
import type { MapTypeName } from '@tsbpf/uapi'
import { shape, u32 } from './shapes.ts'

/** Every map type, by the file of `test/kernel` that has its test; a test there and one of the table hold it true. */
export const families = {
  collections: ['hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash', 'array', 'percpu_array', 'lpm_trie'],
  objects: [
    ...(['prog_array', 'perf_event_array', 'stack_trace', 'cgroup_array', 'array_of_maps'] as const),
    ...(['hash_of_maps', 'devmap', 'devmap_hash', 'cpumap', 'xskmap'] as const),
    ...(['sockmap', 'sockhash', 'reuseport_sockarray'] as const),
  ],
  storage: [
    ...(['cgroup_storage', 'percpu_cgroup_storage', 'sk_storage', 'inode_storage', 'task_storage'] as const),
    ...(['cgrp_storage', 'struct_ops'] as const),
  ],
  queues: ['queue', 'stack', 'bloom_filter', 'ringbuf', 'user_ringbuf', 'arena'],
  newest: ['insn_array', 'rhash'],
} as const satisfies Readonly<Record<string, readonly MapTypeName[]>>

/** What a map of objects takes and gives. */
export type ObjectValue = number | bigint | HasFd

export const unsupported = expect.objectContaining({ code: 'MAP_UNSUPPORTED_OPERATION' }) as Error

/** What a test of a family works with. */
export interface FamilyTests {
  readonly sys: Sys
  /** A test of one type, which then counts as covered. */
  readonly type: (name: MapTypeName, test: () => void | Promise<void>) => void
  /** A map of four indexes to objects. */
  readonly slots: (name: MapTypeName) => BpfMap<number, ObjectValue>
}

/** The tests of a family: none of its types is left out, and nothing is left behind. */
export function describeFamily(family: keyof typeof families, tests: (given: FamilyTests) => void): void {
  const gate = requires({ root: true, kernel: [6, 9], reason: 'creates maps of every type' })
  describe.skipIf(gate.skip)(gate.title(`map types: ${family}`), () => {
    const sys = gate.skip ? undefined! : nativeSys()
    const covered = new Set<string>()
    let before: ReturnType<typeof descriptors>
    beforeEach(() => {
      before = descriptors()
    })
    afterEach(() => {
      expectNoLeak(before, descriptors())
    })
    tests({
      sys,
      type: (name, test) => {
        covered.add(name)
        it(name, test)
      },
      slots: (name) =>
        createMap<number, ObjectValue>(sys, shape(name, { valueSize: 4, maxEntries: 4 }), {
          codecs: { key: u32, value: objectCodec(4) },
        }),
    })
    it('are all here', () => {
      expect([...covered].sort()).toEqual([...families[family]].sort())
    })
  })
}
