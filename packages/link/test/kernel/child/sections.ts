// Proves the sections that it is given, in a network namespace and a cgroup of its own, and prints what failed.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { networkTests } from './section-tests.ts'
import { proveSection } from '../proof.ts'
import { proveStructOps } from './struct-ops.ts'

const [cgroup = '', ...wanted] = process.argv.slice(2)
execFileSync('ip', ['link', 'set', 'lo', 'up'])
writeFileSync(`${cgroup}/cgroup.procs`, String(process.pid))

const told: Record<string, string> = {}
for (const section of wanted) {
  try {
    const make = networkTests(cgroup).get(section)
    if (section === 'struct_ops') await proveStructOps()
    else if (make === undefined) throw new Error('there is no such test')
    else await make((test) => proveSection(section, test))
    told[section] = 'proven'
  } catch (error) {
    told[section] = String((error as Error).stack)
  }
}
process.stdout.write(`${JSON.stringify(told)}\n`)
