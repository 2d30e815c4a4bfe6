/**
 * Packs every published package, lints the tarballs, installs them into an empty project, and loads an object there
 * with ten lines of a user's code. Needs root and a kernel with bpf(2) unless `--no-kernel` is given.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const kernel = !process.argv.includes('--no-kernel')
const work = mkdtempSync(join(tmpdir(), 'tsbpf-pack-'))
const bin = (name) => join(root, 'node_modules/.bin', name)

function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) {
    console.error(`${stdout}${stderr}\nerror: ${command} ${args.join(' ')} ended with ${status}`)
    process.exitCode = 1
    throw new Error('check failed')
  }
  return stdout
}

/** What a user writes; it is run from the tarballs alone. */
const script = `import { readFile } from 'node:fs/promises'
import { parseObject } from '@tsbpf/object'
import { load } from '@tsbpf/loader'

const spec = parseObject(await readFile('syscount.bpf.o'))
const bpf = await load(spec)
const link = bpf.program('count_syscalls').attach()
await new Promise((resolve) => setTimeout(resolve, 300))
console.log([...bpf.map('syscall_count')].length > 0 ? 'counted' : 'nothing counted')
link[Symbol.dispose]()
bpf[Symbol.dispose]()
`
const dryScript = `import { readFile } from 'node:fs/promises'
import { parseObject } from '@tsbpf/object'
import { load } from '@tsbpf/loader'
const spec = parseObject(await readFile('syscount.bpf.o'))
console.log(typeof load, spec.programs.length === 1 ? 'counted' : 'no program')
`

try {
  const packages = readdirSync(join(root, 'packages')).filter(
    (name) => !JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).private,
  )
  for (const name of packages) {
    const folder = join(root, 'packages', name)
    if (!existsSync(join(folder, 'dist'))) throw new Error(`packages/${name}/dist is missing: npm run build`)
    run(bin('publint'), ['--strict', '--pack', 'npm'], folder)
    run(bin('attw'), ['--pack', '.', '--profile', 'esm-only'], folder)
  }
  run('npm', [
    'pack',
    '--silent',
    '--pack-destination',
    work,
    ...packages.flatMap((name) => ['-w', `packages/${name}`]),
  ])
  const tarballs = readdirSync(work).filter((name) => name.endsWith('.tgz'))
  const project = mkdtempSync(join(work, 'project-'))
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  writeFileSync(join(project, 'main.js'), kernel ? script : dryScript)
  cpSync(join(root, 'examples/syscount/syscount.bpf.o'), join(project, 'syscount.bpf.o'))
  run('npm', ['install', '--no-audit', '--no-fund', ...tarballs.map((name) => join(work, name))], project)
  const printed = run(process.execPath, ['main.js'], project)
  if (!printed.includes('counted') || printed.includes('nothing'))
    throw new Error(`the script printed ${printed}`)
  run(join(project, 'node_modules/.bin/tsbpf'), ['inspect', '--json', 'syscount.bpf.o'], project)
  console.log(`${packages.length} packages packed, linted, installed and run`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
