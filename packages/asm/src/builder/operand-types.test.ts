import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'

const file = fileURLToPath(new URL('../../test/types/operands.ts', import.meta.url))
const directive = /\/\/ @ts-expect-error.*/g

it('refuses each wrong operand at compile time, and nothing else', () => {
  const source = readFileSync(file, 'utf8')
  const config = fileURLToPath(new URL('../../tsconfig.json', import.meta.url))
  const { options } = ts.getParsedCommandLineOfConfigFile(
    config,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  )!
  const host = ts.createCompilerHost(options)
  const read = host.readFile.bind(host)
  host.readFile = (name) => (name === file ? source.replaceAll(directive, '//') : read(name))
  const compiled = ts.createProgram([file], { ...options, types: [], lib: ['lib.es2023.d.ts'] }, host)
  const parsed = compiled.getSourceFile(file)!
  const lines = [...compiled.getSyntacticDiagnostics(parsed), ...compiled.getSemanticDiagnostics(parsed)].map(
    ({ start = 0 }) => parsed.getLineAndCharacterOfPosition(start).line,
  )
  const expected = source.split('\n').flatMap((line, i) => (line.includes('@ts-expect-error') ? [i + 1] : []))
  expect([...new Set(lines)]).toEqual(
    expected.filter((line) => !source.split('\n')[line - 1]!.includes('* ')),
  )
}, 60_000)
