import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseBtf } from '@tsbpf/btf'
import type { Btf, BtfKind, BtfTypeOf } from '@tsbpf/btf'
import { progGetInfo } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak } from '@tsbpf/testkit'
import type { Requirement } from '@tsbpf/testkit'
import { sections } from '@tsbpf/uapi'
import { attach } from '../../src/index.ts'
import type { AttachableProgram, AttachOptions, Link } from '../../src/index.ts'
import { countingProgram } from './counting.ts'
import type { Counter, CountingProgram } from './counting.ts'

/**
 * Shows that programs attach as these section names say, run when their event happens, and no more after they were
 * detached. It asserts by itself, so that it can run in a child too.
 */
export interface Proof {
  /** Rows of docs/support.md. */
  readonly sections: readonly string[]
  /** What the kernel must have; root and Linux are needed by all. */
  readonly needs: Omit<Requirement, 'reason' | 'root'>
  prove(section: string): void | Promise<void>
}

let opened: Btf | undefined

function find<Kind extends BtfKind>(name: string, kind: Kind): BtfTypeOf<Kind> {
  opened ??= parseBtf(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')))
  const type = opened.find(name, kind)
  if (type === undefined) throw new Error(`the kernel's BTF has no ${kind} ${name}`)
  return type
}

/** Type id of what a program is loaded for, in the kernel's BTF. */
export function btfId(name: string): number {
  return find(name, name.startsWith('btf_trace_') ? 'typedef' : 'func').id
}

/** A struct of the kernel. */
export function kernelType(name: string): BtfTypeOf<'struct'> {
  return find(name, 'struct')
}

/** What a process holds until it is killed. */
export interface Held {
  readonly kind: string
  readonly outlivesProcess: boolean
  /** System-wide id of the program. */
  readonly program: number
}

let hold: ((held: Held) => void) | undefined

/** From now on {@link proveRuns} proves nothing: it attaches, tells `taker`, and never ends. */
export function holdInstead(taker: (held: Held) => void): void {
  hold = taker
}

async function holdUntilKilled(
  test: CountingProgram,
  attachIt: (program: AttachableProgram) => Link,
): Promise<never> {
  const { program } = countingProgram(nativeSys(), test)
  const { kind, outlivesProcess } = attachIt(program)
  hold?.({ kind, outlivesProcess, program: progGetInfo(nativeSys(), program.fd).info.id })
  return new Promise(() => undefined)
}

/**
 * Loads a counting program, attaches it, makes its event happen, and sees it in the map; detaches it, and sees no more.
 * `look` sees more of it while it is attached.
 */
export async function proveRuns(
  test: CountingProgram,
  attachIt: (program: AttachableProgram) => Link,
  event: (link: Link) => unknown,
  look: (counter: Counter, link: Link) => void = () => undefined,
): Promise<void> {
  if (hold !== undefined) await holdUntilKilled(test, attachIt)
  const before = descriptors()
  {
    using counter = countingProgram(nativeSys(), test)
    const link = attachIt(counter.program)
    try {
      await event(link)
      assert(counter.runs() > 0, 'the program has not run')
      look(counter, link)
    } finally {
      link.detach()
    }
    const attached = counter.runs()
    await event(link)
    assert.equal(counter.runs(), attached, 'the program runs after it was detached')
  }
  expectNoLeak(before, descriptors())
}

/** What a program with a section name is attached to, and what makes it run. */
export interface SectionTest extends Omit<CountingProgram, 'type' | 'attachType' | 'load'> {
  /** What follows the section name. */
  readonly target?: string
  /** What the program is loaded for, as the kernel's BTF names it. */
  readonly loadedFor?: string
  readonly options?: AttachOptions
  readonly event: (link: Link) => unknown
  readonly look?: (counter: Counter, link: Link) => void
}

/** {@link proveRuns} for a program that is loaded and attached as its section name says. */
export async function proveSection(prefix: string, test: SectionTest): Promise<void> {
  const { target, loadedFor, options, event, look, ...counting } = test
  const row = sections.find((section) => section.prefix === prefix)
  if (row === undefined) throw new Error(`no section is named ${prefix}`)
  const { progType: type, attachType } = row
  const program: CountingProgram = {
    ...counting,
    type,
    ...(attachType === undefined ? {} : { attachType }),
    load: {
      prog_flags: row.flags,
      attach_btf_id: loadedFor === undefined ? 0 : btfId(loadedFor),
    },
  }
  const section = target === undefined ? prefix : `${prefix}/${target}`
  await proveRuns(
    program,
    ({ fd, name }) => attach(nativeSys(), { fd, name, type, attachType, attachTo: target, section }, options),
    event,
    look,
  )
}
