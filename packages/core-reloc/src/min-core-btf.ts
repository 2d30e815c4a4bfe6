import type { TypeId } from '@tsbpf/base'
import { btfBuilder, parseBtf } from '@tsbpf/btf'
import type { Btf, BtfTypeInput } from '@tsbpf/btf'
import type { CoreRelocation, FunctionSpec, ObjectSpec } from '@tsbpf/object'
import type { Access } from './access.ts'
import type { TargetBtf } from './candidates.ts'
import type { CoreResult } from './core-result.ts'
import { errors } from './errors.ts'
import { newMarks } from './min-core-marks.ts'
import type { Marks } from './min-core-marks.ts'
import { relocate, relocateWatched } from './relocate.ts'
import type { OnFailure } from './relocate.ts'

/** Options of {@link minCoreBtf}. */
export interface MinCoreBtfOptions {
  /** Functions that will be relocated; all unless given, as in `RelocateOptions`. */
  readonly include?: (fn: FunctionSpec) => boolean
  /**
   * What to do where a relocation fails on the whole BTF: `throw`, unless given, as the object cannot be loaded there
   * anyway; with `collect` it fails with the minimal BTF too.
   */
  readonly onFailure?: OnFailure
}

/** A candidate that fits a relocation. */
interface Fit {
  readonly relocation: CoreRelocation
  readonly access: Access
  readonly agrees: boolean
}

/** What one object comes to with the whole BTF. */
interface Whole {
  readonly spec: ObjectSpec
  readonly results: readonly CoreResult[]
  readonly fits: readonly Fit[]
}

/**
 * The smallest BTF with which objects still relocate to a kernel as they do with all of its BTF, for kernels that have
 * none of their own: the types that the relocations choose, of structs and unions the members and of enums the
 * enumerators that are asked for, in their order. What pointers point to is kept only where it is compared.
 *
 * `target` may be split from a base; the result has no base, is in the target's byte order, and is what bpftool's
 * `gen min_core_btf` makes of one object, or less. Every relocation is decided again with it: status, values, sizes and
 * error codes are the same. The values of `target_type_id` alone are ids in the new BTF, so they mean nothing to the
 * kernel.
 *
 * Throws the error of a relocation that fails (see `onFailure`), `CORE_NO_BTF`, `BTF_…` for a malformed target, and
 * `CORE_MIN_BTF` should a relocation come out otherwise.
 *
 * @example
 * ```ts
 * import { readFile, writeFile } from 'node:fs/promises'
 * import { parseBtf } from '@tsbpf/btf'
 * import { minCoreBtf } from '@tsbpf/core-reloc'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * await writeFile('app.min.btf', minCoreBtf([spec], kernel))
 * ```
 */
export function minCoreBtf(
  specs: readonly ObjectSpec[],
  target: Btf,
  options: MinCoreBtfOptions = {},
): Uint8Array {
  const { onFailure = 'throw', ...include } = options
  const targets = withBase(target)
  const wholes = specs.map((spec): Whole => {
    const fits: Fit[] = []
    const { results } = relocateWatched(
      spec,
      { ...include, targets, onFailure },
      (relocation, access, agrees) => fits.push({ relocation, access, agrees }),
    )
    return { spec, results, fits }
  })

  const marks = newMarks(target)
  // The size of a pointer is told by `long`, and is 8 without one.
  const long = target.pointerSize === 4 ? wordOf(target) : undefined
  if (long !== undefined) marks.type(long)
  for (const { fits } of wholes) {
    for (const { access, agrees } of fits) if (!agrees) marks.access(access)
  }
  // Rarely does more count than what is chosen: candidates that agree, and those that do not fit, but would if they
  // had less in them. Each is added only where a relocation would come out otherwise.
  const wideners = [addAgreeing, addCandidates]
  for (let round = 0; ; round++) {
    const bytes = build(target, marks)
    const small = [{ name: 'vmlinux', btf: parseBtf(bytes) }]
    const changed = wholes.map((whole) => {
      const { results } = relocate(whole.spec, { ...include, targets: small })
      return { whole, results: whole.results.filter((result, i) => !sameOutcome(result, results[i])) }
    })
    const [first] = changed.flatMap(({ results }) => results)
    if (first === undefined) return bytes
    const widen = wideners[round]
    if (widen === undefined) {
      throw errors.CORE_MIN_BTF({
        where: `${first.program} insn ${first.insn}: ${first.kind} of ${first.accessText}`,
      })
    }
    for (const { whole, results } of changed) {
      widen(marks, whole, new Set(results.map(({ localType }) => localType.id)))
    }
  }
}

/** A split BTF after its bases, as a kernel's modules stand after it. */
function withBase(target: Btf): TargetBtf[] {
  const chain: Btf[] = []
  for (let btf: Btf | undefined = target; btf !== undefined; btf = btf.base) chain.unshift(btf)
  return chain.map((btf, index) => ({ name: index === 0 ? 'vmlinux' : `split ${index}`, btf }))
}

/** Marks what the candidates have that fit relocations of these local types, but were not the first. */
function addAgreeing(marks: Marks, { fits }: Whole, locals: ReadonlySet<TypeId>): void {
  for (const { relocation, access } of fits) if (locals.has(relocation.type)) marks.access(access)
}

/** Marks all that the candidates of these local types have in them. */
function addCandidates(marks: Marks, { results }: Whole, locals: ReadonlySet<TypeId>): void {
  for (const { localType, candidates } of results) {
    if (locals.has(localType.id)) for (const { type } of candidates) marks.whole(type.id)
  }
}

/** Whether libbpf would do the same; ids are other ids in another BTF. */
function sameOutcome(a: CoreResult, b: CoreResult | undefined): boolean {
  return (
    a.status === b?.status &&
    (a.newValue === b.newValue || a.kind === 'target_type_id') &&
    a.memSize?.to === b.memSize?.to &&
    a.targetType?.name === b.targetType?.name &&
    a.targetType?.kind === b.targetType?.kind &&
    a.error?.code === b.error?.code
  )
}

function build(target: Btf, marks: Marks): Uint8Array {
  const ids = new Uint32Array(target.endId)
  let endId = 1
  for (let id = 1; id < ids.length; id++) if (marks.types[id] === 1) ids[id] = endId++
  const builder = btfBuilder({ rules: 'none' })
  for (let id = 1; id < ids.length; id++) {
    const type = marks.types[id] === 1 ? reduced(target, id as TypeId, marks, ids) : undefined
    if (type !== undefined) builder.add(type)
  }
  return builder.build({ littleEndian: target.littleEndian })
}

/** A type with what is kept of it; what is not kept becomes void where it is referred to. */
function reduced(target: Btf, id: TypeId, marks: Marks, ids: Uint32Array): BtfTypeInput | undefined {
  const type = target.type(id)
  const moved = (old: TypeId): number => ids[old] ?? 0
  const kept = <T>(all: readonly T[]): T[] => all.filter((_, index) => marks.parts.get(id)?.has(index))
  switch (type.kind) {
    case 'struct':
    case 'union': {
      const members = kept(type.members).map((member) => ({ ...member, type: moved(member.type) }))
      return { ...type, members }
    }
    case 'enum':
    case 'enum64':
      return { ...type, values: kept(type.values) }
    case 'array':
      return { ...type, type: moved(type.type), indexType: moved(type.indexType) }
    case 'func_proto': {
      const params = type.params.map((param) => ({ ...param, type: moved(param.type) }))
      return { ...type, returnType: moved(type.returnType), params }
    }
    case 'ptr':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'typedef':
    case 'type_tag':
      return { ...type, type: moved(type.type) }
    case 'int':
    case 'float':
    case 'fwd':
      return type
    default:
      return undefined
  }
}

/** The int that says how large a word is, and so a pointer. */
function wordOf(target: Btf): TypeId | undefined {
  for (const name of ['long int', 'long unsigned int', 'long', 'unsigned long']) {
    const int = target.find(name, 'int')
    if (int?.size === target.pointerSize) return int.id
  }
  return undefined
}
