import { isTsbpfError } from '@tsbpf/base'
import type { TsbpfError } from '@tsbpf/base'
import type { ObjectSpec } from '@tsbpf/object'
import type { TargetBtf } from './candidates.ts'
import type { CoreResult } from './core-result.ts'
import { poisonReason } from './explain.ts'
import { relocate } from './relocate.ts'
import type { RelocateOptions } from './relocate.ts'

/** A kernel to check against, whose BTF is opened only when its turn comes. */
export interface CheckSource {
  /** How the report names it. */
  readonly name: string
  /** Its BTF, the kernel's own first; see `RelocateOptions.targets`. A `TsbpfError` is reported, and ends nothing. */
  open(): readonly TargetBtf[] | Promise<readonly TargetBtf[]>
}

/** Options of {@link checkTargets}. */
export type CheckTargetsOptions = Pick<RelocateOptions, 'include'>

/** A relocation that is poisoned or fails on one target. */
export interface CheckProblem {
  readonly result: CoreResult
  /** Why, without the place: `struct task_struct has no member cookie`. */
  readonly reason: string
}

/** What becomes of an object on one target. */
export interface TargetCheck {
  readonly name: string
  /**
   * `ok`: every relocation is resolved. `poisoned`: none fails, but some have no value; the verifier refuses the object
   * where it can reach them, so it loads only if they are guarded (`bpf_core_field_exists`). `failed`: libbpf would not
   * load the object, or the target's BTF cannot be used; then `error` says why.
   */
  readonly status: 'ok' | 'poisoned' | 'failed'
  /** Numbers of relocations. */
  readonly resolved: number
  readonly poisoned: number
  readonly failed: number
  /** Those that are not resolved, in the order of relocating. */
  readonly problems: readonly CheckProblem[]
  /** Why nothing could be checked; `undefined` where it could. */
  readonly error: TsbpfError | undefined
}

/**
 * Says for each of many kernels whether an object will relocate to it, and what breaks where.
 *
 * Targets are opened one after another when the next report is asked for, and nothing of them is kept: memory is that
 * of one kernel's BTF. The reports come in the order given, one for each; a target that cannot be opened or is
 * malformed is `failed` and does not end the others. Throws only what is no `TsbpfError`, and what is wrong with the
 * object itself (`CORE_NO_BTF`).
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseBtf } from '@tsbpf/btf'
 * import { checkTargets } from '@tsbpf/core-reloc'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('app.bpf.o'))
 * const kernels = ['5.10.btf', '6.1.btf'].map((name) => ({
 *   name,
 *   open: async () => [{ name: 'vmlinux', btf: parseBtf(await readFile(name)) }],
 * }))
 * for await (const { name, status, problems } of checkTargets(spec, kernels)) {
 *   console.log(name, status, problems.map(({ reason }) => reason))
 * }
 * ```
 */
export async function* checkTargets(
  spec: ObjectSpec,
  sources: Iterable<CheckSource>,
  options: CheckTargetsOptions = {},
): AsyncGenerator<TargetCheck, void, undefined> {
  for (const source of sources) {
    yield await checkTarget(spec, source, options)
  }
}

async function checkTarget(
  spec: ObjectSpec,
  source: CheckSource,
  options: CheckTargetsOptions,
): Promise<TargetCheck> {
  const { name } = source
  const none = { name, resolved: 0, poisoned: 0, failed: 0, problems: [] }
  try {
    const { results } = relocate(spec, { ...options, targets: await source.open() })
    const count = (status: CoreResult['status']): number =>
      results.reduce((sum, result) => sum + Number(result.status === status), 0)
    const poisoned = count('poisoned')
    const failed = count('failed')
    return {
      name,
      status: failed > 0 ? 'failed' : poisoned > 0 ? 'poisoned' : 'ok',
      resolved: count('resolved'),
      poisoned,
      failed,
      problems: results
        .filter(({ status }) => status !== 'resolved')
        .map((result) => ({ result, reason: reasonOf(result) })),
      error: undefined,
    }
  } catch (error) {
    if (!isTsbpfError(error) || isTsbpfError(error, 'CORE_NO_BTF')) throw error
    return { ...none, status: 'failed', error }
  }
}

function reasonOf(result: CoreResult): string {
  const { error, candidates } = result
  // The error's own words; its message names the place too, which stands beside it.
  if (error !== undefined) {
    const { problem } = error.context
    return typeof problem === 'string' ? problem : error.message
  }
  const lost = new Set(candidates.map(({ why }) => why).filter((why) => why !== undefined))
  return result.targetType === undefined && lost.size > 0 ? [...lost].join('; ') : poisonReason(result)
}
