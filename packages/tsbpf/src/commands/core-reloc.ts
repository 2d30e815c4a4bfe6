import { explain, relocate } from '@tsbpf/core-reloc'
import type { CoreResult, CoreType } from '@tsbpf/core-reloc'
import type { ElfFile } from '@tsbpf/elf'
import type { ObjectSpec } from '@tsbpf/object'
import { errors } from '../errors.ts'
import { functionsInFileOrder } from '../file-order.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { relocateToRunningKernel } from '../kernel-btf.ts'
import { paintFor } from '../paint.ts'
import type { Paint } from '../paint.ts'
import { readObject } from '../read-object.ts'
import { reportError } from '../report-error.ts'
import { readTargets } from '../target-btf.ts'
import { printableLines } from '../text-table.ts'

/** Options of {@link coreReloc}. */
export interface CoreRelocOptions {
  readonly json: boolean
  /** Files with BTF; the running kernel's for none. */
  readonly targets: readonly string[]
}

/** `tsbpf core-reloc OBJ`: what becomes of each CO-RE relocation, and why. Exit 1 where one fails. */
export async function coreReloc(io: Io, file: string, options: CoreRelocOptions): Promise<number> {
  const { elf, spec } = await readObject(file)
  const done =
    options.targets.length === 0
      ? await relocateToRunningKernel(spec)
      : relocate(spec, { targets: await readTargets(options.targets) }).results
  const results = inFileOrder(done, spec, elf)

  if (options.json) io.stdout.write(toJsonDocument({ relocations: results.map(describe) }))
  else io.stdout.write(coreRelocText(paintFor(io, io.stdout), results))

  const failed = results.filter(({ status }) => status === 'failed').length
  if (failed === 0) return 0
  reportError(io, errors.CLI_CORE_RELOC({ failed, total: results.length }))
  return 1
}

function inFileOrder(results: readonly CoreResult[], spec: ObjectSpec, elf: ElfFile): readonly CoreResult[] {
  const places = new Map(functionsInFileOrder(spec, elf).map((fn, place) => [fn.name, place]))
  const place = (result: CoreResult): number => places.get(result.program) ?? 0
  return [...results].sort((a, b) => place(a) - place(b) || a.insn - b.insn)
}

function describe(result: CoreResult) {
  const { program, insn, kind, localType, access, accessText, status, oldValue, newValue, targetType } =
    result
  const error = result.error === undefined ? null : { code: result.error.code, message: result.error.message }
  return {
    program,
    insn,
    kind,
    localType: describeType(localType),
    access,
    accessText,
    status,
    oldValue: oldValue ?? null,
    newValue: newValue ?? null,
    targetType: targetType === undefined ? null : describeType(targetType),
    error,
  }
}

function describeType({ id, name, kind, source }: CoreType) {
  return { id, name, kind, source }
}

function coreRelocText(paint: Paint, results: readonly CoreResult[]): string {
  if (results.length === 0) return 'no CO-RE relocations\n'
  const colour = { resolved: paint.green, poisoned: paint.yellow, failed: paint.red }
  const blocks = results.map((result) => {
    const text = printableLines(explain(result)).trimEnd()
    return `${text.replace(result.status, (status) => colour[result.status](status))}\n`
  })
  const count = (status: CoreResult['status']): number => results.filter((r) => r.status === status).length
  const total = `${results.length} relocations: ${count('resolved')} resolved, ${count('poisoned')} poisoned, ${count('failed')} failed\n`
  return `${blocks.join('\n')}\n${total}`
}
