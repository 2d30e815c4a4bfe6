/**
 * Prints what the running kernel's verifier says of the bad program of each case, for test/golden/verifier/KERNEL.json:
 *
 *     node --import ./packages/testkit/src/register.mjs --conditions=@tsbpf/source \
 *       packages/loader/test/kernel/verifier/record.ts > packages/loader/test/golden/verifier/6.18.json
 *
 * As root. In a virtual machine without acceleration bundle it first (`npx esbuild --bundle --platform=node --format=esm`), and
 * leave out with the argument `quick` what takes the verifier minutes there.
 * With the argument `restricted` it prints the outcomes of the cases that are about a process without CAP_PERFMON.
 */
import { execFileSync } from 'node:child_process'
import { release } from 'node:os'
import { badObject, fixedObject } from './cases/case.ts'
import { cases } from './cases/index.ts'
import { outcomeOf, withoutPerfmon } from './recorded-log.ts'
import type { Outcomes, RecordedLog } from './recorded-log.ts'

function restricted(): Readonly<Record<string, Outcomes>> {
  const chosen = cases.filter((one) => one.withoutPerfmon === true)
  return Object.fromEntries(
    chosen.map((one) => [one.row, { bad: outcomeOf(badObject(one)), fixed: outcomeOf(fixedObject(one)) }]),
  )
}

/** {@link restricted}, of another process. */
function askRestricted(): Readonly<Record<string, Outcomes>> {
  const [setpriv = '', ...options] = withoutPerfmon
  const node = [process.execPath, ...process.execArgv, process.argv[1] ?? '', 'restricted']
  const text = execFileSync(setpriv, [...options, ...node], { encoding: 'utf8' })
  return JSON.parse(text) as ReturnType<typeof restricted>
}

function record(): { readonly release: string; readonly logs: Readonly<Record<string, RecordedLog>> } {
  const others = askRestricted()
  const chosen = cases.filter((one) => one.slow !== true || process.argv[2] !== 'quick')
  const logs = chosen.map((one): [string, RecordedLog] => {
    process.stderr.write(`${one.row}\n`)
    const { outcome, errno, log } = others[one.row]?.bad ?? outcomeOf(badObject(one))
    return [one.row, outcome === 'refused' ? { outcome, errno, log } : { outcome }]
  })
  return { release: release(), logs: Object.fromEntries(logs) }
}

const only = process.argv[2] === 'restricted'
process.stdout.write(`${only ? JSON.stringify(restricted()) : JSON.stringify(record(), null, 1)}\n`)
