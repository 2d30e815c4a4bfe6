import { isTsbpfError } from '@tsbpf/base'
import type { TypeId } from '@tsbpf/base'
import { essentialName } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import { typeText } from './access.ts'
import { fail } from './errors.ts'
import type { CoreKind } from '@tsbpf/object'

/** BTF to relocate to. */
export interface TargetBtf {
  /** `vmlinux`, a module's name, or a file's; it names the types found in it. */
  readonly name: string
  readonly btf: Btf
}

/** A type of a target that may be meant by a local type: same essential name, compatible kind. */
export interface Candidate {
  readonly target: TargetBtf
  readonly id: TypeId
  /** It is of a module: malformed BTF there does not fit, and fails nothing. */
  readonly lenient: boolean
}

/** What is left of the candidates for one local type as relocations rule some out. */
interface CandidateList {
  readonly all: readonly Candidate[]
  /** Those that have fitted every relocation of the type so far. */
  live: ReadonlySet<Candidate>
  /** Relocation that ruled a candidate out. */
  readonly ruledOutBy: Map<Candidate, string>
}

/** Candidates of local types, found once for each. */
export interface CandidateCache {
  of(local: Btf, id: TypeId, kind: CoreKind): CandidateList
}

function candidatesIn(target: TargetBtf, local: Btf, id: TypeId, name: string, lenient = false): Candidate[] {
  const kind = local.kind(id)
  const { btf } = target
  let ids = btf.candidates(name, kind)
  if (kind === 'enum' || kind === 'enum64') {
    ids = [...ids, ...btf.candidates(name, kind === 'enum' ? 'enum64' : 'enum')].sort((a, b) => a - b)
  }
  const found: Candidate[] = []
  for (const type of ids) if (type >= btf.firstId) found.push({ target, id: type, lenient })
  return found
}

/** The BTF of one module may be corrupt, which is no reason to fail where others, or none, have the type. */
function candidatesInModule(target: TargetBtf, local: Btf, id: TypeId, name: string): Candidate[] {
  try {
    return candidatesIn(target, local, id, name, true)
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return []
  }
}

/**
 * Finds candidates as libbpf's `bpf_core_find_cands` does: in the kernel's own BTF first, and only where that has none
 * in the modules, all of them together. The kernel's is the target named `vmlinux`, else the first.
 */
export function newCandidateCache(targets: readonly TargetBtf[]): CandidateCache {
  const main = targets.find(({ name }) => name === 'vmlinux') ?? targets[0]
  const modules = targets.filter((target) => target !== main)
  const lists = new Map<TypeId, CandidateList>()
  return {
    of(local, id, kind) {
      const known = lists.get(id)
      if (known !== undefined) return known
      const full = local.nameOf(id)
      if (full === '') {
        throw fail(
          'CORE_ANONYMOUS',
          `${kind.name} of ${typeText(local, id)}: an anonymous type has no candidates`,
        )
      }
      const name = essentialName(full)
      let all = main === undefined ? [] : candidatesIn(main, local, id, name)
      if (all.length === 0) all = modules.flatMap((target) => candidatesInModule(target, local, id, name))
      const list = { all, live: new Set(all), ruledOutBy: new Map<Candidate, string>() }
      lists.set(id, list)
      return list
    },
  }
}
