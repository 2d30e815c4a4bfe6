import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/**
 * Every `ts` block of a README is a complete program: it type-checks and runs as it stands, on the built packages, in
 * the folder of the syscount example. A block marked `ts kernel` needs root and is reported as not run otherwise.
 */
const root = join(import.meta.dirname, '..')
const scratch = join(root, 'node_modules', '.tsbpf-readme')
const isRoot = process.platform === 'linux' && process.geteuid?.() === 0

interface Block {
  readonly file: string
  readonly name: string
  readonly code: string
  readonly kernel: boolean
}

const readmes = [
  'README.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((file) => existsSync(join(root, file)))

const blocks: readonly Block[] = readmes.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^```ts( kernel)?\n([\s\S]*?)^```$/gm)].map(
    (match, i) => ({
      file,
      name: `${file.replace(/\W+/g, '-')}-${i + 1}`,
      code: match[2] ?? '',
      kernel: match[1] !== undefined,
    }),
  ),
)

beforeAll(() => {
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { recursive: true })
  for (const block of blocks) {
    writeFileSync(join(scratch, `${block.name}.ts`), `${block.code}\nexport {}\n`)
    const { outputText } = ts.transpileModule(block.code, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    })
    writeFileSync(join(scratch, `${block.name}.mjs`), outputText)
  }
})

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe('README programs', () => {
  it('exist for every published package', () => {
    const without = readdirSync(join(root, 'packages')).filter(
      (name) => name !== 'testkit' && !blocks.some((block) => block.file === `packages/${name}/README.md`),
    )
    expect(without).toEqual([])
  })

  it('type-check', { timeout: 120_000 }, () => {
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      skipLibCheck: true,
    }
    writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }')
    const program = ts.createProgram(
      blocks.map((block) => join(scratch, `${block.name}.ts`)),
      options,
    )
    const problems = ts
      .getPreEmitDiagnostics(program)
      .map(
        (d) =>
          `${d.file?.fileName.replace(/.*\//, '') ?? ''}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`,
      )
    expect(problems).toEqual([])
  })

  it.for(blocks)('$name runs', { timeout: 60_000 }, (block, { skip }) => {
    skip(block.kernel && !isRoot, 'needs root')
    const { status, stderr } = spawnSync(process.execPath, [join(scratch, `${block.name}.mjs`)], {
      cwd: join(root, 'examples/syscount'),
      encoding: 'utf8',
      timeout: 50_000,
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})
