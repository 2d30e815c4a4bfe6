import { textUntilNul } from '@tsbpf/base'
import type { ElfSection } from '@tsbpf/elf'
import { declaredMaps } from './btf-maps.ts'
import type { DeclaredMaps } from './btf-maps.ts'
import { completeBtf, findVariables } from './data-layout.ts'
import { dataMaps } from './data-maps.ts'
import { findExterns } from './externs.ts'
import { functionSpecs } from './function-specs.ts'
import { findFunctions } from './functions.ts'
import { jumpTables } from './jump-tables.ts'
import { legacyMaps } from './legacy-maps.ts'
import { objectName } from './map-name.ts'
import { names, openObject } from './object-file.ts'
import type { ObjectFile } from './object-file.ts'
import type { MapSpec, ObjectSpec } from './object-spec.ts'
import { structOpsMaps } from './struct-ops.ts'

/** Options of {@link parseObject}. */
export interface ParseObjectOptions {
  /**
   * Name of the object's file, with or without its path: for messages, and for the kernel's names of data sections
   * (`syscount.bpf.o` gives `syscount.rodata`). Without it those have the section's name alone.
   */
  readonly name?: string
  /**
   * True for an object that is to be linked with others: externs that those define are taken, as \`global\`. Else they
   * are an error, as in libbpf; that is so unless given.
   */
  readonly partial?: boolean
}

const noMaps: DeclaredMaps = { maps: [], at: () => undefined }

function kernelVersion(file: ObjectFile, section: ElfSection): number {
  const { data } = section
  if (data.length !== 4) {
    const actual = `${data.length} bytes`
    throw file.fail('OBJECT_VERSION', { path: 'section version', section, expected: '4 bytes', actual })
  }
  return new DataView(data.buffer, data.byteOffset, 4).getUint32(0, file.elf.littleEndian)
}

/** Maps are looked up by name, so each name stands for one. */
function checkNames(file: ObjectFile, maps: readonly MapSpec[]): void {
  const known = new Set<string>()
  for (const { name } of maps) {
    if (known.has(name)) {
      throw file.fail('OBJECT_DUPLICATE_NAME', {
        path: `map ${name}`,
        expected: 'a name of its own',
        actual: 'two of it',
      })
    }
    known.add(name)
  }
}

/** Name of the map that holds the variables of an arena. */
function checkArena(file: ObjectFile, maps: readonly MapSpec[]): string | undefined {
  const map = maps.find(({ arena }) => arena !== undefined)
  const { arena: section } = file
  if (section !== undefined && map === undefined) {
    const path = `section ${section.name}`
    throw file.fail('OBJECT_MAP', { path, section, expected: 'an arena in .maps', actual: 'none' })
  }
  return map?.name
}

/**
 * Turns the bytes of a compiled BPF object into an inert {@link ObjectSpec}, on any host, of either byte order.
 *
 * What the object means is what libbpf 1.5 makes of it (tools/lib/bpf/libbpf.c of Linux 6.12). A global or weak function
 * outside `.text` is a program; all others are subprograms. Each function holds its own instructions as a view of
 * `bytes`, so do not change them; references are symbolic, indexes count slots from the function's start.
 * Maps stand in libbpf's order: those of `maps` (which libbpf 1.x refuses) and `.maps` as they lie there, then data
 * sections in file order, `.kconfig`, and
 * struct_ops. Sizes that depend on a host are as the object says: rounding a ring buffer up to pages is the loader's.
 * The bytes of a `.bss` are made when they are first read.
 *
 * Any bytes give a spec or an error with a code: those of `@tsbpf/elf` and `@tsbpf/btf`, and `OBJECT_*`; each carries
 * `{file, path, offset, expected, actual}`. Time and memory are bounded by the size of the input.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseObject } from '@tsbpf/object'
 * const spec = parseObject(await readFile('syscount.bpf.o'), { name: 'syscount.bpf.o' })
 * for (const program of spec.programs) console.log(program.name, program.type, program.attachTo)
 * ```
 */
export function parseObject(bytes: Uint8Array, options: ParseObjectOptions = {}): ObjectSpec {
  const raw = openObject(bytes, options.name ?? 'object', options.partial ?? false)
  const externs = findExterns(raw)
  const btf = completeBtf(raw, externs.externs)
  const file: ObjectFile = { ...raw, btf }
  const functions = findFunctions(file)
  // Functions are compiled when they are first called, so those of parts that are not there are not.
  const declared = file.maps === undefined ? noMaps : declaredMaps(file, file.maps, functions)
  const object = options.name === undefined ? '' : objectName(options.name)
  const legacySection = file.elf.section(names.legacyMaps)
  const legacy = legacySection === undefined ? noMaps : legacyMaps(file, legacySection)
  const maps = [
    ...legacy.maps,
    ...declared.maps,
    ...(file.data.size === 0 && externs.externs.length === 0
      ? []
      : dataMaps(file, btf, externs.externs, object)),
    ...structOpsMaps(file, functions),
  ]
  if (maps.length > 1) checkNames(file, maps)
  const arena = maps.length === 0 && file.arena === undefined ? undefined : checkArena(file, maps)
  const version = file.elf.section('version')
  const { programs, subprograms } = functionSpecs(file, {
    functions,
    externs,
    mapAt: (section, offset) => declared.at(section, offset) ?? legacy.at(section, offset),
    jumpTables: jumpTables(file),
    arena,
  })
  return {
    byteOrder: file.elf.littleEndian ? 'little' : 'big',
    license: textUntilNul(file.elf.section('license')?.data ?? new Uint8Array(0)),
    kernelVersion: version === undefined ? undefined : kernelVersion(file, version),
    programs,
    subprograms,
    maps,
    ...(file.data.size === 0 && file.arena === undefined ? { variables: [] } : findVariables(file, btf)),
    externs: externs.externs,
    btf,
  }
}
