import { assembleInsns, assembleObject } from '@tsbpf/asm'
import { isTsbpfError } from '@tsbpf/base'
import type { Dialect } from '@tsbpf/isa'
import { parseObject } from '@tsbpf/object'
import { errors } from '../errors.ts'
import type { Io } from '../io.ts'
import { toJsonDocument } from '../json.ts'
import { readInput } from '../read-file.ts'
import { printable } from '../text-table.ts'
import { writeOutput } from '../write-file.ts'

/** Options of {@link asm}. */
export interface AsmOptions {
  readonly json: boolean
  readonly out: string
  /** Instructions alone, without an object around them. */
  readonly raw: boolean
  readonly dialect: Dialect
  readonly byteOrder: 'little' | 'big'
}

/** Bytes of an instruction slot. */
const slotBytes = 8

/** `tsbpf asm FILE.s -o OUT`: an object, or raw instructions, from text. Where the text is wrong, nothing is written. */
export async function asm(io: Io, file: string, options: AsmOptions): Promise<number> {
  const { json, out, raw, dialect, byteOrder } = options
  const text = textOf(file, await readInput(file))
  const shape = { dialect, byteOrder, name: file }
  const bytes = raw ? assembleInsns(text, shape) : assembleObject(text, shape)
  // What the text means is known before anything is written.
  const spec = raw ? undefined : parseObject(bytes, { name: file })
  await writeOutput(out, bytes)

  const facts = {
    out,
    bytes: bytes.length,
    insns:
      spec === undefined
        ? bytes.length / slotBytes
        : [...spec.programs, ...spec.subprograms].reduce((sum, fn) => sum + fn.insns.length / slotBytes, 0),
    programs: spec?.programs.map(({ name, section }) => ({ name, section })) ?? [],
    maps: spec?.maps.map(({ name, type }) => ({ name, type })) ?? [],
  }
  if (json) io.stdout.write(toJsonDocument(facts))
  else {
    const programs = facts.programs.map(({ name }) => printable(name)).join(', ')
    const what = `${facts.insns} instruction slots${programs === '' ? '' : ` in ${programs}`}`
    io.stderr.write(`${printable(out)}: ${facts.bytes} bytes, ${what}\n`)
  }
  return 0
}

function textOf(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    if (isTsbpfError(error)) throw error
    throw errors.CLI_TEXT({ file }, { cause: error })
  }
}
