import { release } from 'node:os'
import { isTsbpfError } from '@tsbpf/base'
import type { Btf } from '@tsbpf/btf'
import { missingPrivileges, preview } from '@tsbpf/loader'
import type { LoadPreview, MissingPrivilege } from '@tsbpf/loader'
import type { ObjectSpec } from '@tsbpf/object'
import { nativeSys } from '@tsbpf/sys/native'
import type { Io } from './io.ts'
import { toJson } from './json.ts'
import { paintFor } from './paint.ts'
import type { Paint } from './paint.ts'
import { readObject } from './read-object.ts'
import { readTargets } from './target-btf.ts'
import { printable, textTable } from './text-table.ts'

/** Options of {@link dryRun}. */
export interface DryRunOptions {
  readonly json: boolean
  /** Names of the programs; those that load by themselves for none. */
  readonly programs: readonly string[]
  /** File with the BTF to relocate to where the running kernel shows none. */
  readonly fallback?: string
  /** Why the object is not run, where that is known already. */
  readonly reason?: string
}

/** Which kernel the object was relocated to, and what a load would do. */
interface DryRun {
  readonly target: string
  readonly preview: LoadPreview
  readonly missing: readonly MissingPrivilege[]
}

/** Everything that `run` does up to the kernel's door: nothing is loaded, and what stands in the way is said. */
export async function dryRun(io: Io, file: string, options: DryRunOptions): Promise<number> {
  const { spec } = await readObject(file)
  const names = options.programs.length === 0 ? {} : { programs: options.programs }
  const { target, preview: plan } = await previewAnywhere(spec, names, options.fallback)
  const missing = missingHere(spec, names)
  if (options.json) io.stdout.write(`${toJson(describe({ target, preview: plan, missing }))}\n`)
  else {
    const text = dryRunText(paintFor(io, io.stdout), file, { target, preview: plan, missing }, options.reason)
    io.stdout.write(text)
  }
  return 0
}

/** True for an error that says that this user or system cannot load or attach, however good the object is. */
export function cannotRunHere(error: unknown): boolean {
  const codes = [
    'MAP_CREATE_DENIED',
    'LOADER_DENIED',
    'LINK_DENIED',
    'LINK_TRACEFS',
    'SYS_TRACEFS',
    'SYS_UNSUPPORTED_PLATFORM',
    'LOADER_NO_KERNEL_BTF',
  ]
  return codes.some((code) => isTsbpfError(error, code))
}

/** What this user lacks; on a system without a door, that there is none. */
export function missingHere(
  spec: ObjectSpec,
  names: { readonly programs?: readonly string[] } = {},
): readonly MissingPrivilege[] {
  try {
    return missingPrivileges(nativeSys(), spec, names)
  } catch (error) {
    if (!isTsbpfError(error, 'SYS_UNSUPPORTED_PLATFORM')) throw error
    const remedy = error.hint ?? 'run it on Linux, on x64 or arm64'
    return [{ kind: 'file', name: 'Linux', neededFor: ['load programs into its kernel'], remedy }]
  }
}

async function previewAnywhere(
  spec: ObjectSpec,
  names: { readonly programs?: readonly string[] },
  fallback: string | undefined,
): Promise<{ readonly target: string; readonly preview: LoadPreview }> {
  const withBtf = (kernelBtf: Btf): LoadPreview => preview(spec, { ...names, kernelBtf })
  try {
    return { target: `the running kernel (${release()})`, preview: preview(spec, names) }
  } catch (error) {
    const noBtf =
      isTsbpfError(error, 'LOADER_NO_KERNEL_BTF') || isTsbpfError(error, 'SYS_UNSUPPORTED_PLATFORM')
    const [other] = noBtf && fallback !== undefined ? await readTargets([fallback]) : []
    if (other === undefined) throw error
    return { target: `${other.name}, since this system shows no kernel BTF`, preview: withBtf(other.btf) }
  }
}

function describe({ target, preview: plan, missing }: DryRun) {
  return {
    type: 'dry_run',
    target,
    programs: plan.programs.map(({ name, type, insns, attach }) => ({
      name,
      type: type ?? null,
      insns,
      attachTo: attach?.target ?? null,
    })),
    maps: plan.maps.map(({ name, type, maxEntries }) => ({ name, type, maxEntries })),
    relocations: plan.relocations.map(({ program, insn, kind, status, oldValue, newValue }) => ({
      program,
      insn,
      kind,
      status,
      oldValue: oldValue ?? null,
      newValue: newValue ?? null,
    })),
    missing: missing.map(({ kind, name, neededFor, remedy }) => ({ kind, name, neededFor, remedy })),
  }
}

function dryRunText(
  paint: Paint,
  file: string,
  { target, preview: plan, missing }: DryRun,
  reason: string | undefined,
): string {
  const parts = [`${paint.bold('dry run')} of ${printable(file)}: nothing is loaded into the kernel\n`]
  const add = (title: string, text: string): void => void parts.push(`\n${paint.bold(title)}\n${text}`)

  if (plan.relocations.length > 0) {
    add(
      `CO-RE relocations to ${target}`,
      textTable(
        paint,
        [
          { title: 'program' },
          { title: 'insn', align: 'right' },
          { title: 'kind' },
          { title: 'of' },
          { title: 'result' },
        ],
        plan.relocations.map((r) => [
          r.program,
          r.insn,
          r.kind,
          r.accessText,
          r.status === 'resolved' ? `${r.oldValue ?? ''} -> ${r.newValue ?? ''}` : r.status,
        ]),
      ),
    )
  }
  if (plan.maps.length > 0) {
    add(
      'maps that would be created',
      textTable(
        paint,
        [
          { title: 'name' },
          { title: 'type' },
          { title: 'key', align: 'right' },
          { title: 'value', align: 'right' },
          { title: 'entries', align: 'right' },
        ],
        plan.maps.map((map) => [map.name, map.type, map.keySize, map.valueSize, map.maxEntries]),
      ),
    )
  }
  add(
    'programs that would be loaded and attached',
    textTable(
      paint,
      [{ title: 'name' }, { title: 'type' }, { title: 'insns', align: 'right' }, { title: 'attached to' }],
      plan.programs.map((p) => [
        p.name,
        p.type ?? '?',
        p.insns,
        p.attach === undefined ? '-' : `${p.attach.kind} ${p.attach.target}`,
      ]),
    ),
  )
  if (missing.length > 0) {
    const lines = missing.map(({ name, neededFor, remedy }) => {
      return `  ${paint.red(name)}, needed to ${printable(neededFor.join(', '))}\n    ${printable(remedy)}\n`
    })
    add('missing', lines.join(''))
  } else if (reason !== undefined) add('missing', `  ${printable(reason)}\n`)
  else parts.push('\nnothing is missing: without --dry-run it would run\n')
  return parts.join('')
}
