/**
 * `npm start`: counts system calls for five seconds (examples/syscount).
 * `npm start -- [FILE.o] [--duration SECONDS] [--program NAME]… [--json]`: runs any object, for five seconds unless told
 * otherwise.
 *
 * Where this user or system may not load programs, both do everything up to the kernel's door, say what is missing,
 * and exit 0: a dry run.
 */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const cli = join(root, 'packages', 'tsbpf', 'dist')
const example = join(root, 'examples', 'dist', 'syscount', 'main.js')
const syscount = join(root, 'examples', 'syscount', 'syscount.bpf.o')
/** What a dry run relocates to where the running kernel has no BTF. */
const fallback = join(root, 'packages', 'testkit', 'btf', 'vmlinux-6.12-debian-amd64.btf.gz')

if (!existsSync(join(cli, 'main.js')) || !existsSync(example)) {
  console.error('error: nothing has been built\nhint: run "npm start", which installs and builds first')
  process.exit(1)
}

const load = (file) => import(pathToFileURL(join(cli, file)).href)
const [{ dryRun, cannotRunHere, missingHere }, { reportError }, { processIo }, { readObject }, objects] =
  await Promise.all(
    ['dry-run.js', 'report-error.js', 'process-io.js', 'read-object.js', 'kernel-objects.js'].map(load),
  )
const io = processIo()
const help = 'usage: npm start [-- [FILE.o] [--duration SECONDS] [--program NAME]… [--json]]'

function usage() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        duration: { type: 'string', default: '5' },
        program: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    console.error(`error: ${error.message}`)
    return undefined
  }
}

async function start() {
  const given = usage()
  if (given?.values.help) {
    console.log(help)
    return 0
  }
  if (given === undefined || given.positionals.length > 1 || !(Number(given.values.duration) > 0)) {
    console.error(help)
    return 2
  }
  const { json, program: programs, duration } = given.values
  const [file] = given.positionals
  const object = file ?? relative(process.cwd(), syscount)
  const rehearse = (reason) => dryRun(io, object, { json, programs, fallback, ...reason })

  const { spec } = await readObject(object)
  const names = programs.length === 0 ? {} : { programs }
  if (missingHere(spec, names).length > 0) return rehearse({})
  try {
    if (file === undefined && !json && programs.length === 0) return await runExample()
    const { run } = await load('commands/run.js')
    return await run(io, object, { json, programs, events: [], duration: Number(duration) })
  } catch (error) {
    // What a security module or a container's filter forbids shows only when it is tried.
    if (!cannotRunHere(error)) throw error
    return rehearse({ reason: error.message })
  }
}

async function runExample() {
  const before = objects.kernelObjects()
  const { main } = await import(pathToFileURL(example).href)
  const code = await main()
  await objects.untilGone([...objects.kernelObjects()].filter((object) => !before.has(object)))
  return code
}

try {
  process.exitCode = await start()
} catch (error) {
  reportError(io, error)
  process.exitCode = 1
}
