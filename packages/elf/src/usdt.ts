import { textUntilNul } from '@tsbpf/base'
import type { ElfFile } from './elf-file.ts'
import { errors } from './errors.ts'
import { fileOffsetOf } from './file-offset.ts'
import { notes } from './notes.ts'
import type { ElfNote } from './notes.ts'
import { fault } from './source.ts'
import { parseUsdtArguments } from './usdt-arguments.ts'
import type { UsdtArgument } from './usdt-arguments.ts'

/** `NT_STAPSDT` of the owner `stapsdt` (SystemTap, "UserSpaceProbeImplementation"). */
const probeType = 3
/** Address of the probe, address of `.stapsdt.base` when it was linked, address of the semaphore. */
const addresses = 24

/** A statically defined probe of a program: one place where it is compiled in. */
export interface UsdtProbe {
  readonly provider: string
  readonly name: string
  /** Address of the instruction, as the other addresses of the file are counted, prelinking undone. */
  readonly location: bigint
  /** Where a uprobe goes: offset of the instruction in the file; `undefined` in a relocatable file. */
  readonly offset: number | undefined
  /** Address of `.stapsdt.base` when the file was linked. */
  readonly base: bigint
  /** Address of the counter that says whether somebody listens; `undefined` where the probe has none. */
  readonly semaphore: bigint | undefined
  /** Offset of that counter in the file: the kernel's `ref_ctr_offset`. */
  readonly semaphoreOffset: number | undefined
  /** Where its arguments are, as the compiler wrote it: `-4@%eax 8@-16(%rbp)`. */
  readonly argumentText: string
  /** The same as data, parsed when asked for. Throws `ELF_USDT` where a form is not known. */
  readonly arguments: readonly UsdtArgument[]
}

function readProbe(elf: ElfFile, note: ElfNote, linkedAt: bigint | undefined): UsdtProbe {
  const { desc, path } = note
  const start = desc.byteOffset - elf.bytes.byteOffset
  const ends: number[] = []
  for (let at = addresses; ends.length < 3;) {
    const end = desc.length < addresses ? -1 : desc.indexOf(0, at)
    if (end < 0) {
      const expected = `${addresses} bytes and three texts that end with NUL`
      throw errors.ELF_USDT(fault({ file: elf.name }, path, note.offset, expected, `${desc.length} bytes`))
    }
    ends.push(end)
    at = end + 1
  }
  const [provider = 0, name = 0, last = 0] = ends
  const view = new DataView(desc.buffer, desc.byteOffset, desc.byteLength)
  const word = (at: number) => view.getBigUint64(at, elf.littleEndian)
  const base = word(8)
  // Prelinking moves sections but not what notes say about them.
  const moved = linkedAt === undefined || base === 0n ? 0n : linkedAt - base
  const location = BigInt.asUintN(64, word(0) + moved)
  const counter = word(16)
  const semaphore = counter === 0n ? undefined : BigInt.asUintN(64, counter + moved)
  const argumentText = textUntilNul(desc.subarray(name + 1, last))
  let parsed: readonly UsdtArgument[] | undefined
  return {
    provider: textUntilNul(desc.subarray(addresses, provider)),
    name: textUntilNul(desc.subarray(provider + 1, name)),
    location,
    get offset() {
      return fileOffsetOf(elf, location)
    },
    base,
    semaphore,
    get semaphoreOffset() {
      return semaphore === undefined ? undefined : fileOffsetOf(elf, semaphore)
    },
    argumentText,
    get arguments() {
      return (parsed ??= parseUsdtArguments(argumentText, elf.machine, (expected, actual) =>
        errors.ELF_USDT(fault({ file: elf.name }, `${path}.arguments`, start + name + 1, expected, actual)),
      ))
    },
  }
}

/**
 * The USDT probes of an executable or a shared library, in the order of their notes; a probe that the compiler put in
 * several places is there several times. Throws what `notes` and `elf.segments` throw, and `ELF_USDT` where a note is
 * cut short.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { parseElf, usdtProbes } from '@tsbpf/elf'
 * const libc = parseElf(await readFile('/lib/x86_64-linux-gnu/libc.so.6'))
 * for (const { provider, name, argumentText } of usdtProbes(libc)) console.log(`${provider}:${name}`, argumentText)
 * ```
 */
export function usdtProbes(elf: ElfFile): readonly UsdtProbe[] {
  const linkedAt = elf.section('.stapsdt.base')?.addr
  const probes: UsdtProbe[] = []
  for (const note of notes(elf)) {
    if (note.name === 'stapsdt' && note.type === probeType) probes.push(readProbe(elf, note, linkedAt))
  }
  return probes
}
