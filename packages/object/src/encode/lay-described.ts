import type { Btf, BtfTypeOf } from '@tsbpf/btf'
import { sectionTypes, symbolTypes } from '@tsbpf/elf'
import { limits } from '../limits.ts'
import { names } from '../object-file.ts'
import type { PlacedFunction } from './code-sections.ts'
import { flags, relocationTypes } from './draft.ts'
import type { Draft } from './draft.ts'
import type { PlacedData } from './relocate-code.ts'

const object = symbolTypes.value('object')
const nobits = sectionTypes.value('nobits')

/** Sections whose variables are maps of operations. */
const structOps = /^\??\.struct_ops(\.link)?$/

/** Sections of variables that have no place in a file, and the one whose symbols are made with its maps. */
const elsewhere: readonly string[] = [names.kconfig, names.ksyms, names.maps, names.legacyMaps]

/** What the struct_ops maps of a section put into it. */
function operations(draft: Draft, { name, vars }: BtfTypeOf<'datasec'>, size: number): Uint8Array {
  if (size > limits.mapsSize) throw draft.fail(`section ${name}`, `at most ${limits.mapsSize} bytes`, size)
  const bytes = new Uint8Array(size)
  for (const { type, offset } of vars) {
    const map = draft.spec.maps.find((one) => one.name === draft.spec.btf?.nameOf(type))
    const content = map?.structOps?.bytes ?? new Uint8Array(0)
    if (offset + content.length > size) {
      throw draft.fail(
        `map ${map?.name ?? ''}.structOps.bytes`,
        `an end at or before ${size}`,
        offset + content.length,
      )
    }
    bytes.set(content, offset)
  }
  return bytes
}

/** Relocates the operations of struct_ops maps to their programs. */
function bindOperations(
  draft: Draft,
  { vars }: BtfTypeOf<'datasec'>,
  section: number,
  functions: ReadonlyMap<string, PlacedFunction>,
): void {
  const { spec } = draft
  const programs = new Set(spec.programs.map((program) => program.name))
  for (const { type, offset } of vars) {
    const map = spec.maps.find((one) => one.name === spec.btf?.nameOf(type))
    const struct = map?.valueType === undefined ? undefined : spec.btf?.resolve(map.valueType)
    for (const { index, program } of map?.structOps?.programs ?? []) {
      const member = struct?.kind === 'struct' ? struct.members[index] : undefined
      const target = programs.has(program) ? functions.get(program) : undefined
      const path = `map ${map?.name ?? ''}.structOps.programs: ${program}`
      if (member === undefined || target === undefined) {
        throw draft.fail(path, 'a program and a member of the struct', `member ${index}`)
      }
      const at = offset + member.offsetBits / 8
      draft.relocate(section, { offset: at, symbol: target.symbol, type: relocationTypes.abs64 })
    }
  }
}

/** Adds `license` and `version`. */
export function layLicense(draft: Draft): void {
  const { license, kernelVersion, btf, byteOrder } = draft.spec
  if (license.includes('\0')) throw draft.fail('license', 'a text without NUL', JSON.stringify(license))
  const described = btf?.find('license', 'datasec')
  if (license !== '' || described !== undefined) {
    const text = new TextEncoder().encode(license)
    const data = new Uint8Array(Math.max(text.length + 1, Math.min(described?.size ?? 0, 4096)))
    data.set(text)
    const section = draft.section({ name: 'license', flags: flags.writable, data })
    if (described === undefined)
      draft.symbol({ name: '_license', type: object, binding: 'global', section, size: data.length })
  }
  if (kernelVersion !== undefined) {
    const data = new Uint8Array(4)
    new DataView(data.buffer).setUint32(0, kernelVersion, byteOrder === 'little')
    const section = draft.section({ name: 'version', flags: flags.writable, addralign: 4n, data })
    if (btf?.find('version', 'datasec') === undefined)
      draft.symbol({ name: '_version', type: object, binding: 'global', section, size: 4 })
  }
}

/** The data sections in BTF, those with struct_ops maps in the order of the maps: a loader finds them in that of the file. */
function datasecs({ spec }: Draft, btf: Btf): readonly BtfTypeOf<'datasec'>[] {
  const found: BtfTypeOf<'datasec'>[] = []
  for (let id = btf.firstId; id < btf.endId; id++) {
    const type = btf.kind(id) === 'datasec' ? btf.type(id) : undefined
    if (type?.kind === 'datasec' && !elsewhere.includes(type.name)) found.push(type)
  }
  const order = spec.maps.map(({ name }) => name)
  const firstMap = ({ name, vars }: BtfTypeOf<'datasec'>): number =>
    structOps.test(name) && vars[0] !== undefined ? order.indexOf(btf.nameOf(vars[0].type)) : -1
  return found.sort((a, b) => firstMap(a) - firstMap(b))
}

/**
 * Adds what only the BTF knows: symbols of static variables, and those of sections that are no map's. A loader looks
 * for the symbol of each variable that is not static; a section that the spec does not carry has its size, and no bytes.
 */
export function layDescribed(
  draft: Draft,
  data: Map<string, PlacedData>,
  functions: ReadonlyMap<string, PlacedFunction>,
): void {
  const { btf, variables, hiddenVariables = [] } = draft.spec
  if (btf === undefined) return
  const done = new Set([...variables, ...hiddenVariables].map(({ name, section }) => `${section}\0${name}`))
  const hidden = new Set(hiddenVariables.map(({ name, section }) => `${section}\0${name}`))
  for (const datasec of datasecs(draft, btf)) {
    const { name, size } = datasec
    if (btf.find(name, 'datasec')?.id !== datasec.id) continue
    const vars = datasec.vars.filter(({ type }) => {
      const variable = btf.type(type)
      return variable.kind === 'var' && variable.linkage !== 'extern'
    })
    // Variables of other objects are in no section of this one.
    if (vars.length === 0 && datasec.vars.length > 0) continue
    const section =
      draft.numberOf(name) ??
      draft.section({
        name,
        flags: flags.writable,
        addralign: 8n,
        ...(structOps.test(name) ? { data: operations(draft, datasec, size) } : { type: nobits, size }),
      })
    if (structOps.test(name)) bindOperations(draft, datasec, section, functions)
    const symbols = new Map(data.get(name)?.symbols)
    for (const { type, offset, size: bytes } of vars) {
      const variable = btf.type(type)
      if (variable.kind !== 'var') continue
      const key = `${name}\0${variable.name}`
      // Hidden ones are static in a spec's BTF, as the verifier is to see them; a linker has to see what they are.
      if (hidden.has(key)) draft.types.replace(type, { ...variable, linkage: 'global' })
      if (done.has(key)) continue
      const binding = variable.linkage === 'static' ? 'local' : 'global'
      const place = { section, value: BigInt(offset), size: bytes }
      const symbol = draft.symbol({ name: variable.name, type: object, binding, ...place })
      if (!symbols.has(offset)) symbols.set(offset, symbol)
    }
    if (data.has(name)) data.set(name, { section, symbols })
  }
  for (const { name, type, structOps: content } of draft.spec.maps) {
    if (type !== 'struct_ops' || content === undefined) continue
    const inBtf = btf.idsByName(name, 'var').length > 0
    if (!inBtf) throw draft.fail(`map ${name}`, 'a variable of .struct_ops in BTF', 'none')
  }
}
