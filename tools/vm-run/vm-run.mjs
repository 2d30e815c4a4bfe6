/**
 * Runs a command as root on one of Debian's kernels, in QEMU without KVM:
 *
 *   node tools/vm-run/vm-run.mjs --kernel 6.1|6.12 [--timeout SECONDS] DIR -- COMMAND [ARGUMENT…]
 *
 * The guest has the files of this machine at their own paths, so node, node_modules and bpftool are there; what it
 * writes is thrown away, but for what is in DIR, where the command starts. /tmp and /run are empty. BPF, cgroup2, tracefs, debugfs
 * and securityfs are mounted, `lo` is up, modules load on demand, and TSBPF_VM says which kernel it is. Output and exit status
 * are the command's; 124 means that the time was up (300 s unless given), 125 that there was no guest, or that it died.
 */
import { realpathSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { boot } from './boot.mjs'
import { VmError } from './kernel.mjs'

const usage =
  'usage: node tools/vm-run/vm-run.mjs --kernel 6.1|6.12 [--timeout SECONDS] DIR -- COMMAND [ARGUMENT…]'

function read(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { kernel: { type: 'string' }, timeout: { type: 'string', default: '300' } },
  })
  const [dir, ...command] = positionals
  if (!['6.1', '6.12'].includes(values.kernel)) throw new VmError('--kernel must be 6.1 or 6.12', usage)
  if (!/^[1-9]\d{0,5}$/.test(values.timeout))
    throw new VmError('--timeout must be a number of seconds', usage)
  if (dir === undefined || command.length === 0)
    throw new VmError('a folder and a command are missing', usage)
  return { series: values.kernel, timeout: Number(values.timeout), dir: realpathSync(dir), command }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130))
try {
  const { code, console: log } = await boot({
    ...read(process.argv.slice(2)),
    onOut: (bytes) => process.stdout.write(bytes),
    onErr: (bytes) => process.stderr.write(bytes),
  })
  if (code === 124 || (code === 125 && log !== '')) {
    console.error(
      `error: ${code === 124 ? 'the time was up' : 'the guest died'}; the end of its log:\n${log}`,
    )
  }
  process.exitCode = code
} catch (error) {
  if (!(error instanceof VmError) && !String(error.code).startsWith('ERR_PARSE_ARGS')) throw error
  console.error(`error: ${error.message}\nhint: ${error.hint ?? usage}`)
  process.exitCode = error instanceof VmError && error.hint !== usage ? 125 : 2
}
