import { objectIds } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak } from '@tsbpf/testkit'
import { expect } from 'vitest'

const kinds = ['prog', 'map', 'link', 'btf'] as const

function snapshot(): ReadonlyMap<string, ReadonlySet<number>> {
  return new Map(kinds.map((kind) => [kind, new Set(objectIds(nativeSys(), kind))]))
}

async function leaked(before: ReadonlyMap<string, ReadonlySet<number>>): Promise<readonly string[]> {
  // The kernel frees objects after a grace period.
  for (let tries = 0; ; tries++) {
    const left = [...snapshot()].flatMap(([kind, ids]) =>
      [...ids].filter((id) => before.get(kind)?.has(id) !== true).map((id) => `${kind} ${id}`),
    )
    if (left.length === 0 || tries === 250) return left
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Runs `body` and expects that it leaves no descriptor open and no program, map, link or BTF in the kernel. */
export async function leavesNothing(body: () => Promise<void> | void): Promise<void> {
  nativeSys()
  const objects = snapshot()
  const fds = descriptors()
  await body()
  expectNoLeak(fds, descriptors())
  expect(await leaked(objects)).toEqual([])
}
