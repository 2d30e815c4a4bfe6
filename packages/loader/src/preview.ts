import type { CoreResult } from '@tsbpf/core-reloc'
import { attachesItself, attachKindOf } from '@tsbpf/link'
import type { ObjectSpec } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { lazyKernelBtf } from './kernel-btf.ts'
import { makePlan } from './plan.ts'
import type { PlanOptions } from './plan.ts'

/** What a load would do, as data. */
export interface LoadPreview {
  /** Maps that would be created, in order. */
  readonly maps: readonly MapPreview[]
  /** Programs that would be loaded, in order. */
  readonly programs: readonly ProgramPreview[]
  /** What became of each CO-RE relocation. */
  readonly relocations: readonly CoreResult[]
}

/** A map that would be created. */
export interface MapPreview {
  readonly name: string
  /** Name for the kernel. */
  readonly kernelName: string
  readonly type: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  /** True for constants, which are frozen before programs are loaded. */
  readonly frozen: boolean
}

/** A program that would be loaded. */
export interface ProgramPreview {
  readonly name: string
  readonly section: string
  readonly type: string | undefined
  readonly attachType: string | undefined
  /** 8-byte slots with all subprograms. */
  readonly insns: number
  /** Subprograms that are linked to it, in order. */
  readonly subprograms: readonly string[]
  /** Where it would be attached; `undefined` where its section name does not say, or this version cannot. */
  readonly attach: { readonly kind: string; readonly target: string } | undefined
}

/** Options of {@link preview}. */
export interface PreviewOptions extends PlanOptions {
  /** Door for reading the running kernel's BTF where `kernelBtf` is not given; the native one unless given. */
  readonly sys?: Sys
}

/**
 * A load up to the kernel's door, without any privileged call: checks, initial values, relocation to the kernel's BTF
 * and linking are done, nothing is created. Throws what {@link load} throws up to there.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseObject } from '@tsbpf/object'
 * import { preview } from '@tsbpf/loader'
 * const spec = parseObject(await readFile('syscount.bpf.o'))
 * for (const program of preview(spec).programs) console.log(program.name, program.insns, program.attach)
 * ```
 */
export function preview(spec: ObjectSpec, options: PreviewOptions = {}): LoadPreview {
  const sys = (): Sys => options.sys ?? nativeSys()
  using kernel = lazyKernelBtf(sys, options.kernelBtf)
  const plan = makePlan(spec, options, kernel, sys)
  return {
    maps: plan.maps.map(({ spec: map, maxEntries, freeze }) => ({
      name: map.name,
      kernelName: map.kernelName,
      type: map.type,
      keySize: map.keySize,
      valueSize: map.valueSize,
      maxEntries,
      flags: map.flags,
      frozen: freeze,
    })),
    programs: plan.programs.map(({ spec: program, linked }) => {
      const kind = attachesItself(program) ? attachKindOf(program) : undefined
      const target = program.attachTo
      return {
        name: program.name,
        section: program.section,
        type: program.type,
        attachType: program.attachType,
        insns: linked.insns.length / 8,
        subprograms: linked.functions.slice(1).map((fn) => fn.name),
        attach: kind === undefined || target === undefined ? undefined : { kind: kind.kind, target },
      }
    }),
    relocations: plan.relocations,
  }
}
