import { readFileSync } from 'node:fs'
import { parseBtf } from '@tsbpf/btf'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak } from '@tsbpf/testkit'
import type { Requirement } from '@tsbpf/testkit'
import { expect } from 'vitest'
import type { AttachableProgram, Link } from '../../src/index.ts'
import { countingProgram } from './counting.ts'
import type { Counter, CountingProgram } from './counting.ts'

/** Shows that programs attach as these section names say, run when their event happens, and no more after they were detached. */
export interface Proof {
  /** Rows of docs/support.md. */
  readonly sections: readonly string[]
  /** What the kernel must have; root and Linux are needed by all. */
  readonly needs: Omit<Requirement, 'reason' | 'root'>
  prove(section: string): void | Promise<void>
}

/** The kernel's BTF has this name: what a program is loaded for. */
export function btfId(name: string, kind: 'func' | 'typedef' = 'func'): number {
  const btf = parseBtf(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')))
  const type = btf.find(name, kind)
  if (type === undefined) throw new Error(`the kernel's BTF has no ${kind} ${name}`)
  return type.id
}

/**
 * Loads a counting program, attaches it, makes its event happen, and sees it in the map; detaches it, and sees no more.
 * `look` sees more of it while it is attached.
 */
export async function proveRuns(
  test: CountingProgram,
  attach: (program: AttachableProgram) => Link,
  event: () => unknown,
  look: (counter: Counter, link: Link) => void = () => undefined,
): Promise<void> {
  const sys = nativeSys()
  const before = descriptors()
  {
    using counter = countingProgram(sys, test)
    const link = attach(counter.program)
    try {
      await event()
      expect(counter.runs()).toBeGreaterThan(0)
      look(counter, link)
    } finally {
      link.detach()
    }
    const attached = counter.runs()
    await event()
    expect(counter.runs()).toBe(attached)
  }
  expectNoLeak(before, descriptors())
}
