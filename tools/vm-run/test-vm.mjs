/**
 * The kernel tests on Debian's kernels 6.1 and 6.12, each in a guest of its own, both at once: `npm run test:vm`.
 * It says what ran where. Arguments choose kernels, and files by parts of their paths: `npm run test:vm -- 6.1 packages/link`.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { boot } from './boot.mjs'
import { bundle } from './bundle.mjs'
import { kernelOf, VmError } from './kernel.mjs'

const root = join(import.meta.dirname, '../..')
const series = ['6.1', '6.12']
const packages = ['sys', 'maps', 'link', 'loader', 'tsbpf']
/** Only ends what hangs: CI runs it beside all the rest. */
const seconds = 1800

/** Files that test our own code, whatever the kernel, and take the emulator minutes. */
const elsewhere = [
  'sys/test/kernel/door',
  'sys/test/kernel/hostile',
  'sys/test/kernel/checked-build',
  'sys/test/kernel/at-end',
  'tsbpf/test/kernel/',
  'loader/test/kernel/conformance',
  'loader/test/kernel/mutations',
  'loader/test/kernel/instructions',
  'loader/test/kernel/translated',
  // The table is of a machine's settings, too, which the guest has others of.
  'loader/test/kernel/privileges',
  // These pass there, but the kernel takes the emulator half a minute to print its symbols, and gcc to compile.
  ...['kernel-symbols', 'stack-symbols'].map((name) => `maps/test/kernel/${name}`),
]

const wanted = process.argv.slice(2)
const kernels = series.filter((name) => wanted.includes(name))
const parts = wanted.filter((word) => !series.includes(word))

const scripts = packages.flatMap((name) => {
  const folder = join(root, 'packages', name, 'test/kernel')
  return readdirSync(folder, { recursive: true })
    .filter((file) => /\.test\.ts$|^child\/.*\.ts$|\/record\.ts$/.test(file))
    .map((file) => join(folder, file))
})
const isTest = (file) => /\.test\.m?[jt]s$/.test(file)
const chosen = (file) =>
  parts.length === 0
    ? !elsewhere.some((part) => file.includes(part))
    : parts.some((part) => file.includes(part))

/** What the tests may look at; those that name nothing here are not run there. */
const env = Object.fromEntries(
  ['CI', 'TSBPF_CORPUS', 'TSBPF_ORACLES', 'TSBPF_VM_TESTS'].flatMap((name) =>
    process.env[name] ? [[name, process.env[name]]] : [],
  ),
)

/** Prints what a guest says, line by line and with its name in front; the sum at the end, which is JSON, is kept. */
function teller(name) {
  let text = ''
  let sum
  return {
    add(bytes) {
      const lines = (text + bytes).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('{"passed":')) sum = JSON.parse(line)
        else console.log(`${name} | ${line}`)
      }
    },
    sum: () => sum,
  }
}

/** The end of a run, and whether all is well. */
function report(kernel, time, { code, console: log }, sum) {
  console.log(`\n=== ${kernel}`)
  if (sum === undefined) {
    const what = code === 124 ? `the time of ${seconds} s was up` : `the guest ended with ${code}`
    console.log(`FAILED: ${what}\n${log}`)
    return false
  }
  const { passed, failed, skipped, reasons } = sum
  for (const [reason, count] of Object.entries(reasons)) console.log(`not run: ${count} × ${reason}`)
  console.log(`${passed} passed, ${failed} failed, ${skipped} not run; ${time.toFixed(0)} s`)
  return failed === 0 && passed > 0 && code === 0
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130))
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
const folder = mkdtempSync(join(root, 'node_modules/.cache/vm-'))
// Children may be other users.
chmodSync(folder, 0o755)
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
try {
  const [runner, ...bundled] = await bundle(root, folder, scripts)
  const files = bundled.filter((file) => isTest(file) && chosen(relative(folder, file)))
  if (files.length === 0)
    throw new VmError(`no kernel test has ${parts.join(' or ')} in its path`, 'leave it out')
  const names = (kernels.length === 0 ? series : kernels).map((name) => [name, kernelOf(name)])
  if (parts.length === 0) console.log(`not run in the VM, only on this kernel: ${elsewhere.join(', ')}`)
  console.log(`${files.length} files of kernel tests on ${names.map(([, { name }]) => name).join(' and ')}…`)
  const results = await Promise.all(
    names.map(async ([name, { name: kernel }]) => {
      const start = performance.now()
      const told = teller(name)
      const result = await boot({
        series: name,
        dir: root,
        command: [process.execPath, runner, folder, ...files],
        env: { ...env, TSBPF_BUNDLED: folder },
        timeout: seconds,
        onOut: told.add,
        onErr: told.add,
      })
      return report(kernel, (performance.now() - start) / 1000, result, told.sum())
    }),
  )
  process.exitCode = results.every(Boolean) ? 0 : 1
} catch (error) {
  if (!(error instanceof VmError)) throw error
  console.error(`error: ${error.message}\nhint: ${error.hint}`)
  process.exitCode = 1
}
