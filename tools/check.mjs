/**
 * What CI runs, in its order, and what a contributor runs before submitting: `node tools/check.mjs [STEP…]`.
 * Each step is a command that stands alone. Steps that need a tool fail without it; none is skipped.
 */
import { spawnSync } from 'node:child_process'
import { chownSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const node = process.execPath
const bin = (name) => join(root, 'node_modules/.bin', name)

function run(command, args, options = {}) {
  const { status, error, stdout } = spawnSync(command, args, {
    cwd: root,
    stdio: options.capture ? ['ignore', 'pipe', 'inherit'] : ['ignore', 'inherit', 'inherit'],
    encoding: 'utf8',
    ...options,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`)
  return stdout
}

/** Nothing of a test run may stay in the kernel. */
function leftovers() {
  return ['prog', 'map', 'link'].map((kind) => {
    const list = JSON.parse(run('bpftool', ['-j', kind, 'list'], { capture: true }) || '[]')
    return list.map(({ id }) => `${kind} ${id}`)
  })
}

/** The kernel tests once more on the door built with AddressSanitizer, which checks each buffer before each call. */
function sanitized() {
  run(node, ['tools/native/build.mjs', '--asan'])
  const preload = run('gcc', ['-print-file-name=libasan.so'], { capture: true }).trim()
  run(
    bin('vitest'),
    ['run', '--project', 'kernel', 'packages/sys/', 'packages/maps/', 'packages/link/', 'packages/loader/'],
    {
      env: {
        ...process.env,
        TSBPF_NATIVE: join(root, 'packages/sys/native/build/tsbpf-asan.node'),
        LD_PRELOAD: preload,
        ASAN_OPTIONS: 'detect_leaks=0:exitcode=99',
      },
    },
  )
}

/** A fresh clone as an ordinary user: `npm test` passes and says that kernel tests were not run, `npm start` is a dry run. */
function ordinaryUser() {
  const uid = 65534
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-user-'))
  try {
    run('git', ['clone', '--quiet', root, join(folder, 'clone')])
    const own = (path) => {
      chownSync(path, uid, uid)
      if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) own(join(path, name))
    }
    own(folder)
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => name !== 'CI' && !name.startsWith('TSBPF_')),
    )
    const options = {
      cwd: join(folder, 'clone'),
      uid,
      gid: uid,
      env: { ...env, HOME: folder, npm_config_cache: join(folder, 'npm') },
    }
    run('npm', ['test'], options)
    run('npm', ['start'], options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const steps = {
  format: () => run(bin('prettier'), ['--check', '.']),
  lint: () => run(bin('nx'), ['run-many', '-t', 'lint', '--outputStyle=static']),
  boundaries: () => run(node, ['tools/checks/boundaries.mjs']),
  typecheck: () => run(bin('nx'), ['run-many', '-t', 'typecheck', '--outputStyle=static']),
  build: () => {
    run(bin('tsc'), ['-b', 'tsconfig.build.json'])
    run(node, ['tools/bundle.mjs'])
  },
  unused: () => run(bin('knip'), []),
  test: () => run('npm', ['test']),
  uapi: () => {
    run(node, ['tools/uapi/extract.mjs', '--check'])
    run(node, ['tools/uapi/generate.mjs', '--check'])
  },
  native: () => run(node, ['tools/native/build.mjs', '--check']),
  objects: () => run(node, ['tools/build-bpf.mjs', '--check']),
  sanitized,
  size: () => run(node, ['bench/size/size.mjs']),
  pack: () => run(node, ['tools/checks/pack.mjs']),
  user: ordinaryUser,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(
    `error: no step is named ${unknown.join(', ')}\nhint: steps are ${Object.keys(steps).join(', ')}`,
  )
  process.exit(2)
}

const names = wanted.length > 0 ? wanted : Object.keys(steps)
const inKernel = names.some((name) => ['test', 'sanitized', 'uapi'].includes(name))
const before = inKernel && process.geteuid() === 0 ? leftovers() : undefined
const failed = []
for (const name of names) {
  console.log(`\n=== ${name}`)
  const start = performance.now()
  try {
    steps[name]()
  } catch (error) {
    failed.push(name)
    console.error(`FAILED ${name}: ${error.message}`)
  }
  console.log(`=== ${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
}
if (before) {
  const new_ = leftovers().flatMap((list, i) => list.filter((item) => !before[i].includes(item)))
  if (new_.length > 0) failed.push(`left in the kernel: ${new_.join(', ')}`)
}
if (failed.length > 0) console.error(`\nfailed: ${failed.join('; ')}`)
console.log(
  `\nsteps: ${names.length - Math.min(failed.length, names.length)} passed, ${failed.length} failed`,
)
process.exit(failed.length === 0 ? 0 : 1)
