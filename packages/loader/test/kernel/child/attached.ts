// Attaches everything it can, says so, and stays until it is killed.
import { loadSync } from '../../../src/index.ts'
import { objectSpec } from '../objects.ts'

const bpf = loadSync(objectSpec('tracepoints'))
const links = bpf.attach()
const programs = bpf.programs.map((program) => program.info().id)
process.stdout.write(`${JSON.stringify({ programs, links: links.map((link) => link.info().id) })}\n`)
setInterval(() => links.length, 1000)
