import { isTsbpfError } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import type { Btf, BtfType } from '@tsbpf/btf'
import type { CoreRelocation } from '@tsbpf/object'
import type { Access } from './access.ts'
import { formatAccess, parseAccess } from './access.ts'
import { spend } from './budget.ts'
import type { Candidate, CandidateCache } from './candidates.ts'
import type { CoreCandidate, CoreType } from './core-result.ts'
import { fail } from './errors.ts'
import { coreKinds } from '@tsbpf/object'
import type { CoreKind } from '@tsbpf/object'
import { limits } from './limits.ts'
import type { Match, MatchState } from './match.ts'
import { matchAccess } from './match.ts'
import type { Decision } from './patch.ts'
import type { CoreValue } from './value.ts'
import { missingValue, valueOf } from './value.ts'

/** What a call knows, and remembers from relocation to relocation. */
export interface ResolveState extends MatchState {
  readonly local: Btf
  readonly littleEndian: boolean
  readonly candidates: CandidateCache
  readonly types: CoreTypes
  /** Is told of every candidate that fits, with the access in it, whether or not it is chosen. */
  readonly onFit?: OnFit | undefined
}

/** See {@link ResolveState}; `agrees` is false for the first candidate of a relocation that fits. */
export type OnFit = (relocation: CoreRelocation, access: Access, agrees: boolean) => void

/** What becomes known about one relocation on the way; it is complete even where the way ends in an error. */
export interface Findings {
  /** The local access; `undefined` where the accessor string cannot be read. */
  access: Access | undefined
  targetType: CoreType | undefined
  readonly candidates: CoreCandidate[]
}

/** Types as data, each made once. */
export interface CoreTypes {
  of(btf: Btf, id: TypeId, source: string): CoreType
}

export function newCoreTypes(): CoreTypes {
  const known = new Map<Btf, Map<TypeId, CoreType>>()
  return {
    of(btf, id, source) {
      let types = known.get(btf)
      if (types === undefined) known.set(btf, (types = new Map<TypeId, CoreType>()))
      let type = types.get(id)
      if (type === undefined) {
        type = { id, name: btf.nameOf(id), kind: btf.kind(id), source }
        types.set(id, type)
      }
      return type
    },
  }
}

/** A class, because its objects are made ten times faster than others with a getter. */
class TriedCandidate implements CoreCandidate {
  readonly type: CoreType
  readonly verdict: CoreCandidate['verdict']
  readonly why: string | undefined
  readonly #found: Access | undefined

  constructor(
    type: CoreType,
    verdict: CoreCandidate['verdict'],
    found: Access | undefined,
    why: string | undefined,
  ) {
    this.type = type
    this.verdict = verdict
    this.why = why
    this.#found = found
  }

  get accessText(): string | undefined {
    return this.#found === undefined ? undefined : formatAccess(this.#found)
  }
}

/** True where another size of access gives the same value: pointers, and ints that are not signed. */
function sizesFit(local: Btf, target: Btf, a: CoreValue, b: CoreValue): boolean {
  if (a.size === b.size) return true
  const from = local.type(a.sizeType)
  const to = target.type(b.sizeType)
  if (from.kind === 'ptr' && to.kind === 'ptr') return true
  return isZeroExtended(from) && isZeroExtended(to)
}

function isZeroExtended(type: BtfType): boolean {
  // As in libbpf: a signed char or bool carries a second mark and does not count as signed.
  return type.kind === 'int' && !(type.signed && !type.char && !type.bool)
}

/** {@link matchAccess}, for which malformed BTF of a module is a type that does not fit. */
function matchCandidate(access: Access, { target, id, lenient }: Candidate, state: ResolveState): Match {
  try {
    return matchAccess(access, target.btf, id, state)
  } catch (error) {
    if (!lenient || !isTsbpfError(error) || error.code.startsWith('CORE_')) throw error
    return { access: undefined, why: `its BTF is malformed: ${error.message}` }
  }
}

/** A decision that keeps a value and every size. */
function plain(value: bigint): Decision {
  return { oldValue: value, newValue: value, validate: false, oldSize: 0, newSize: 0, sizesFit: true }
}

/**
 * Decides one relocation, as libbpf's `bpf_core_calc_relo_insn` does. Candidates that fit must agree; those that do
 * not are ruled out for the relocations of the same local type that follow.
 *
 * Throws where there is no decision; `findings` then says how far it came. `program` names the function to later ones.
 */
export function resolveRelocation(
  state: ResolveState,
  relocation: CoreRelocation,
  kind: CoreKind | undefined,
  program: string,
  findings: Findings,
): Decision {
  const { local, littleEndian } = state
  if (kind === undefined) {
    throw fail(
      'CORE_UNSUPPORTED_KIND',
      `${coreKinds.format(relocation.kind)} is no known kind of CO-RE relocation`,
    )
  }
  spend(state.budget, limits.relocationSteps)
  const access = parseAccess(local, relocation.type, relocation.access, kind)
  findings.access = access
  if (kind.name === 'local_type_id') return plain(valueOf(access, littleEndian).value)

  const list = state.candidates.of(local, relocation.type, kind)
  const fitting: Candidate[] = []
  let own: CoreValue | undefined
  let decision: Decision | undefined
  let chosen: Access | undefined
  const { candidates } = findings
  for (const candidate of list.all) {
    const { target, id } = candidate
    spend(state.budget, limits.candidateSteps)
    const type = state.types.of(target.btf, id, target.name)
    if (!list.live.has(candidate)) {
      const why = `ruled out by ${list.ruledOutBy.get(candidate) ?? ''}`
      candidates.push(new TriedCandidate(type, 'ruled_out', undefined, why))
      continue
    }
    const { access: found, why } = matchCandidate(access, candidate, state)
    if (found === undefined) {
      candidates.push(new TriedCandidate(type, 'mismatch', undefined, why))
      continue
    }
    state.onFit?.(relocation, found, decision !== undefined)
    own ??= valueOf(access, littleEndian)
    const after = valueOf(found, littleEndian)
    if (decision === undefined || chosen === undefined) {
      decision = {
        oldValue: own.value,
        newValue: after.value,
        validate: own.validate,
        oldSize: own.size,
        newSize: after.size,
        sizesFit: sizesFit(local, target.btf, own, after),
      }
      chosen = found
      findings.targetType = type
      candidates.push(new TriedCandidate(type, 'chosen', found, undefined))
    } else if (found.bitOffset !== chosen.bitOffset || after.value !== decision.newValue) {
      const why =
        found.bitOffset === chosen.bitOffset
          ? `it gives ${after.value}, not ${decision.newValue ?? ''}`
          : `its field is at bit ${found.bitOffset}, not ${chosen.bitOffset}`
      candidates.push(new TriedCandidate(type, 'disagrees', found, why))
      throw fail(
        'CORE_AMBIGUOUS',
        `${formatAccess(chosen)} and ${formatAccess(found)} both fit, but disagree`,
      )
    } else {
      candidates.push(new TriedCandidate(type, 'agrees', found, undefined))
    }
    fitting.push(candidate)
  }
  if (decision !== undefined) {
    if (fitting.length < list.live.size) {
      const live = new Set(fitting)
      const label = `${program} insn ${relocation.insn} (${kind.name})`
      for (const candidate of list.live) if (!live.has(candidate)) list.ruledOutBy.set(candidate, label)
      list.live = live
    }
    return decision
  }
  const { value, validate } = valueOf(access, littleEndian)
  return { ...plain(value), newValue: missingValue(kind), validate }
}
