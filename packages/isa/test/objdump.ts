import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One executable section of an object, with what a disassembler needs of its symbols. */
export interface CodeSection {
  readonly name: string
  readonly bytes: Uint8Array
  readonly littleEndian: boolean
  readonly labels: readonly { readonly name: string; readonly offset: number }[]
}

const executable = 4
const progbits = 1
const symtab = 2
const sectionSymbol = 3

/** Executable sections of a 64-bit object: no more of ELF than these tests need; `undefined` for other files. */
export function codeSections(file: Uint8Array): readonly CodeSection[] | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint8(4) !== 2) return undefined
  const le = view.getUint8(5) === 1
  if (view.getUint16(18, le) !== 247) return undefined
  const at = (i: number): number => Number(view.getBigUint64(40, le)) + i * view.getUint16(58, le)
  const headers = Array.from({ length: view.getUint16(60, le) }, (_, i) => ({
    nameAt: view.getUint32(at(i), le),
    type: view.getUint32(at(i) + 4, le),
    flags: Number(view.getBigUint64(at(i) + 8, le)),
    offset: Number(view.getBigUint64(at(i) + 24, le)),
    size: Number(view.getBigUint64(at(i) + 32, le)),
    link: view.getUint32(at(i) + 40, le),
  }))
  const text = (table: number, from: number): string => {
    const start = headers[table]!.offset + from
    return new TextDecoder().decode(file.subarray(start, file.indexOf(0, start)))
  }
  const symbols = headers
    .filter((header) => header.type === symtab)
    .flatMap(({ offset, size, link }) =>
      Array.from({ length: size / 24 }, (_, i) => ({
        name: text(link, view.getUint32(offset + i * 24, le)),
        type: view.getUint8(offset + i * 24 + 4) & 0x0f,
        section: view.getUint16(offset + i * 24 + 6, le),
        offset: Number(view.getBigUint64(offset + i * 24 + 8, le)),
      })),
    )
  const names = view.getUint16(62, le)
  return headers.flatMap((header, index) =>
    header.type === progbits && (header.flags & executable) !== 0 && header.size > 0
      ? [
          {
            name: text(names, header.nameAt),
            bytes: file.subarray(header.offset, header.offset + header.size),
            littleEndian: le,
            labels: symbols.filter(
              (symbol) => symbol.section === index && symbol.type !== sectionSymbol && symbol.name !== '',
            ),
          },
        ]
      : [],
  )
}

/** What a disassembler printed for one instruction. */
export interface Line {
  readonly index: number
  readonly bytes: string
  readonly text: string
}

/** The instruction lines of `llvm-objdump -d`, one list for each section. */
export function parseObjdump(
  output: string,
): readonly { readonly section: string; readonly lines: readonly Line[] }[] {
  const sections: { section: string; lines: Line[] }[] = []
  for (const line of output.split('\n')) {
    const heading = /^Disassembly of section (.*):$/.exec(line)
    if (heading !== null) sections.push({ section: heading[1]!, lines: [] })
    const insn = /^ *(\d+):\t([0-9a-f ]+)\t(.*)$/.exec(line)
    if (insn !== null)
      sections.at(-1)?.lines.push({ index: Number(insn[1]), bytes: insn[2]!, text: insn[3]! })
  }
  return sections
}

/** True where a tool is on PATH. */
export function hasTool(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A tool's name for the title of a test, with the reason where it is skipped. */
export const named = (tool: string): string => (hasTool(tool) ? tool : `${tool} (not on PATH)`)

/** What a disassembler prints of objects; it may complain of some of them. */
export const objdump = (tool: string, args: readonly string[]): string =>
  spawnSync(tool, args, { encoding: 'utf8', maxBuffer: 1 << 30 }).stdout

/** Runs `use` with a path where an assembler has put an object whose `.text` is these bytes. */
export function withObject<T>(
  bytes: Uint8Array,
  littleEndian: boolean,
  assembler: string,
  use: (file: string) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-isa-'))
  try {
    const source = join(folder, 'code.s')
    const file = join(folder, 'code.o')
    let text = '.text\n'
    for (let at = 0; at < bytes.length; at += 8)
      text += `.byte ${[...bytes.subarray(at, at + 8)].join(',')}\n`
    writeFileSync(source, text)
    execFileSync(assembler, [
      `-triple=${littleEndian ? 'bpfel' : 'bpfeb'}`,
      '-filetype=obj',
      '-o',
      file,
      source,
    ])
    return use(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Reads an object of the corpus. */
export const read = (file: string): Uint8Array => new Uint8Array(readFileSync(file))
