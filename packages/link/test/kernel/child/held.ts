// Attaches a program by each of the sections that it is given, tells what came of it, and waits to be killed.
import { holdInstead, proveSection } from '../proof.ts'
import { probeProofs } from '../probe-proofs.ts'
import { tracingProofs } from '../tracing-proofs.ts'
import { networkTests } from './section-tests.ts'

const [cgroup = '', ...sections] = process.argv.slice(2)
const network = networkTests(cgroup)
const told: Record<string, unknown> = {}
for (const section of sections) {
  // What is held never ends: the next one is its turn as soon as this one is attached.
  told[section] = await new Promise((resolve) => {
    holdInstead(resolve)
    const make = network.get(section)
    const proof = [...probeProofs, ...tracingProofs].find((one) => one.sections.includes(section))
    const proving =
      make === undefined
        ? Promise.resolve(proof?.prove(section))
        : make((test) => proveSection(section, test))
    proving.catch((error: unknown) => {
      resolve(String((error as Error).stack))
    })
  })
}
process.stdout.write(`${JSON.stringify(told)}\n`)
setInterval(() => undefined, 1000)
