import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { codec, joinChunks, parseBtf, printTypeScript } from '../../src/index.ts'
import type { Btf } from '../../src/index.ts'
import { pinnedKernel } from './kernels.ts'
import { readBtf } from './verify-c.mjs'

const folder = join(import.meta.dirname, 'print')

/** The files of the standard library, which every program has. */
const standard = new Map<string, ts.SourceFile | undefined>()

/** What the compiler has to say about a module, each line with the text that it is about. */
function complaints(text: string): string[] {
  const name = 'types.ts'
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, types: [], skipLibCheck: true },
    ...{ target: ts.ScriptTarget.ES2022, lib: ['lib.es2022.d.ts'], module: ts.ModuleKind.ESNext },
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (file, ...rest) => {
    if (file === name) return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022)
    if (!standard.has(file)) standard.set(file, getSourceFile(file, ...rest))
    return standard.get(file)
  }
  const program = ts.createProgram([name], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0 }) => {
    const line = text.slice(text.lastIndexOf('\n', start) + 1, start + 60).split('\n')[0] ?? ''
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}

/** A decoded value as it is written in a program. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return `new Uint8Array([${value.join()}])`
  if (Array.isArray(value)) return `[${value.map(literal).join()}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, part]) => `[${JSON.stringify(name)}]: ${literal(part)}`)
      .join()}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Structs and unions that have a name, and values. */
function recordsOf(btf: Btf): number[] {
  const ids: number[] = []
  for (let id = 1; id < btf.endId; id++) {
    const kind = btf.kind(id)
    if ((kind === 'struct' || kind === 'union') && btf.nameOf(id) !== '') ids.push(id)
  }
  return ids
}

/** Declarations of types and others; for each of the first, values decoded from bytes that are all the same. */
function programOf(
  btf: Btf,
  ids: readonly number[],
  filling: readonly number[],
  others: readonly number[] = [],
): string {
  const text = joinChunks(printTypeScript(btf, [...ids, ...others]))
  const names = [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name)
  const values = ids.flatMap((id, i) =>
    filling.map((byte) => {
      const found = codec(btf, id)
      const value = found.decode(new Uint8Array(found.size).fill(byte))
      return `export const value_${i}_${byte}: ${names[i]} = ${literal(value)}`
    }),
  )
  return [text, ...values, ''].join('\n')
}

describe('TypeScript of BTF', () => {
  const traps = parseBtf(readBtf(join(folder, 'traps.clang-22.el.o')))

  it('is what a reader would write: keywords, nesting, enums, arrays, pointers', async () => {
    const text = joinChunks(printTypeScript(traps, recordsOf(traps)))
    await expect(text).toMatchFileSnapshot(join(folder, 'traps.clang-22.el.o.ts.txt'))
  })

  it('is the same for both byte orders and each clang', () => {
    const text = joinChunks(printTypeScript(traps, recordsOf(traps)))
    for (const name of ['clang-14.el', 'clang-14.eb', 'clang-19.el', 'clang-19.eb', 'clang-22.eb']) {
      const btf = parseBtf(readBtf(join(folder, `traps.${name}.o`)))
      const names = recordsOf(traps).map((id) => `${traps.kind(id)} ${traps.nameOf(id)}`)
      const others = recordsOf(btf).map((id) => `${btf.kind(id)} ${btf.nameOf(id)}`)
      expect(others.toSorted()).toEqual(names.toSorted())
      const lines = (all: string) => all.split('\n').toSorted()
      expect(lines(joinChunks(printTypeScript(btf, recordsOf(btf))))).toEqual(lines(text))
    }
  })

  it('takes the values that the codec decodes, every member and no other', () => {
    const text = programOf(traps, recordsOf(traps), [0, 1, 0x5a, 0xff])
    expect(complaints(text)).toEqual([])
    // A member by another name, one too many, and one of another type are found out.
    const wrong = [
      ['["length"]: ', '["lenght"]: '],
      ['["flag"]: true', '["flag"]: true, ["more"]: 1'],
      ['["word"]: 0n', '["word"]: 0'],
    ].reduce((all, [from = '', to = '']) => {
      expect(all).toContain(from)
      return all.replace(from, to)
    }, text)
    expect(complaints(wrong)).toHaveLength(3)
  }, 60_000)

  it('compiles for a whole kernel, with values of some hundreds of its structs', () => {
    const kernel = parseBtf(readBtf(pinnedKernel))
    const { structs } = JSON.parse(
      gunzipSync(readFileSync(join(import.meta.dirname, 'structs.json.gz'))).toString(),
    ) as { readonly structs: readonly { readonly type: string }[] }
    const some = structs.map(({ type }) => {
      const [kind, name] = type.split(' ') as ['struct' | 'union', string]
      return kernel.idsByName(name, kind)[0]!
    })
    expect(some.length).toBeGreaterThanOrEqual(400)
    const all = recordsOf(kernel)
    expect(all.length).toBeGreaterThan(8000)
    // The few hundred come first, so that their values have the names of their types.
    const rest = new Set(all)
    for (const id of some) rest.delete(id)
    expect(complaints(programOf(kernel, some, [0x5a], [...rest]))).toEqual([])
  }, 60_000)
})
