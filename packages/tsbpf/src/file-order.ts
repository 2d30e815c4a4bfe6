import type { ElfFile, ElfSection } from '@tsbpf/elf'
import type { FunctionSpec, ObjectSpec } from '@tsbpf/object'

/**
 * The section of the file that a function stands in. A program that is not autoloaded has a `?` before its section's
 * name in the file, which the spec leaves out.
 */
export function sectionOf(elf: ElfFile, fn: FunctionSpec): ElfSection | undefined {
  const disabled = 'autoload' in fn && fn.autoload === false
  return (disabled ? elf.section(`?${fn.section}`) : undefined) ?? elf.section(fn.section)
}

/** All functions, programs and subprograms, as they follow each other in the file. */
export function functionsInFileOrder(spec: ObjectSpec, elf: ElfFile): readonly FunctionSpec[] {
  const places = new Map<FunctionSpec, number>()
  const functions: FunctionSpec[] = [...spec.programs, ...spec.subprograms]
  for (const fn of functions) places.set(fn, sectionOf(elf, fn)?.index ?? 0)
  const place = (fn: FunctionSpec): number => places.get(fn) ?? 0
  return functions.sort((a, b) => place(a) - place(b) || a.sectionOffset - b.sectionOffset)
}
