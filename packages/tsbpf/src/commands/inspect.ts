import type { MapSpec, ObjectSpec } from '@tsbpf/object'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { mapFlagNames } from '../map-flags.ts'
import { paintFor } from '../paint.ts'
import type { Paint } from '../paint.ts'
import { readObject } from '../read-object.ts'
import { printable, textTable } from '../text-table.ts'

/** Bytes of an instruction slot. */
const slot = 8

/** `tsbpf inspect OBJ`: what the object says about itself. */
export async function inspect(io: Io, file: string, options: { readonly json: boolean }): Promise<number> {
  const { spec } = await readObject(file)
  const summary = summarise(spec)
  io.stdout.write(
    options.json ? toJsonDocument(summary) : inspectText(paintFor(io, io.stdout), file, summary),
  )
  return 0
}

/** What `inspect --json` prints; docs/schemas/inspect.schema.json describes it. */
type ObjectSummary = ReturnType<typeof summarise>

/** An object's summary, in file order. */
function summarise(spec: ObjectSpec) {
  return {
    byteOrder: spec.byteOrder,
    license: spec.license === '' ? null : spec.license,
    programs: spec.programs.map((program) => ({
      name: program.name,
      section: program.section,
      type: program.type ?? null,
      attachType: program.attachType ?? null,
      attachTo: program.attachTo ?? null,
      sleepable: program.sleepable,
      autoload: program.autoload,
      insns: program.insns.length / slot,
      coreRelocations: program.coreRelocations.length,
    })),
    maps: spec.maps.map(summariseMap),
    variables: spec.variables.map(({ name, section, offset, size }) => ({ name, section, offset, size })),
    externs: spec.externs.map(({ name, kind, weak }) => ({ name, kind, weak })),
  }
}

function summariseMap({ name, type, keySize, valueSize, maxEntries, flags, pinning }: MapSpec) {
  return { name, type, keySize, valueSize, maxEntries, flags, flagNames: mapFlagNames(flags), pinning }
}

function inspectText(paint: Paint, file: string, object: ObjectSummary): string {
  const license = object.license === null ? 'no license' : `license ${printable(object.license)}`
  const parts = [`${paint.bold(printable(file))}: ${object.byteOrder} endian, ${license}\n`]
  const add = (title: string, table: string): void => void parts.push(`\n${paint.bold(title)}\n${table}`)

  if (object.programs.length === 0) parts.push('\nno programs\n')
  else {
    add(
      'programs',
      textTable(
        paint,
        [
          { title: 'name' },
          { title: 'section' },
          { title: 'type' },
          { title: 'attach type' },
          { title: 'attach to' },
          { title: 'insns', align: 'right' },
          { title: 'CO-RE', align: 'right' },
          { title: 'notes' },
        ],
        object.programs.map((p) => [
          p.name,
          p.section,
          p.type ?? '?',
          p.attachType ?? '-',
          p.attachTo ?? '-',
          p.insns,
          p.coreRelocations,
          [p.sleepable ? 'sleepable' : '', p.autoload ? '' : 'not autoloaded'].filter(Boolean).join(', '),
        ]),
      ),
    )
  }
  if (object.maps.length > 0) {
    add(
      'maps',
      textTable(
        paint,
        [
          { title: 'name' },
          { title: 'type' },
          { title: 'key', align: 'right' },
          { title: 'value', align: 'right' },
          { title: 'entries', align: 'right' },
          { title: 'flags' },
          { title: 'pinning' },
        ],
        object.maps.map((m) => [
          m.name,
          m.type,
          m.keySize,
          m.valueSize,
          m.maxEntries,
          m.flagNames.join(' ') || '-',
          m.pinning === 'none' ? '-' : m.pinning,
        ]),
      ),
    )
  }
  if (object.variables.length > 0) {
    add(
      'variables',
      textTable(
        paint,
        [
          { title: 'name' },
          { title: 'section' },
          { title: 'offset', align: 'right' },
          { title: 'size', align: 'right' },
        ],
        object.variables.map((v) => [v.name, v.section, v.offset, v.size]),
      ),
    )
  }
  if (object.externs.length > 0) {
    add(
      'externs',
      textTable(
        paint,
        [{ title: 'name' }, { title: 'kind' }, { title: 'weak' }],
        object.externs.map((e) => [e.name, e.kind, e.weak ? 'weak' : '-']),
      ),
    )
  }
  return parts.join('')
}
