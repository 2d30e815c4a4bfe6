/**
 * Writes docs/verifier-errors.md and docs/privileges.md from the tables of @tsbpf/loader and the logs recorded on three
 * kernels: `node tools/refusals.mjs`. Needs the build.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import prettier from 'prettier'
import { operationPrivileges, parseVerifierLog, verifierMessages } from '@tsbpf/loader'

const root = join(import.meta.dirname, '..')
const kernels = ['6.1', '6.12', '6.18']

/** Messages by kernel and row, numbers and names included. */
function recordedMessages() {
  return new Map(
    kernels.map((kernel) => {
      const file = join(root, 'packages/loader/test/golden/verifier', `${kernel}.json`)
      const { logs } = JSON.parse(readFileSync(file, 'utf8'))
      return [kernel, new Map(Object.entries(logs).map(([id, one]) => [id, spoken(one)]))]
    }),
  )
}

function spoken({ outcome, log = '' }) {
  return outcome === 'refused' ? parseVerifierLog(log).message.split('\n') : outcome
}

/** The line of another kernel that differs from 6.18's in more than numbers. */
function otherWording(id, message, recorded) {
  const plain = (text) => text.replace(/-?\d+/g, 'N')
  const differing = []
  for (const kernel of kernels.slice(0, -1)) {
    const said = recorded.get(kernel).get(id)
    if (said === undefined) continue
    if (said === 'loads') differing.push(`${kernel} loads such a program`)
    else if (said === 'no kfunc') differing.push(`${kernel} has no such kfunc`)
    else if (!said.some((line) => plain(line) === plain(message)))
      differing.push(`${kernel} says \`${said.at(-1)}\``)
  }
  return differing.length === 0 ? '' : `${differing.join('; ')}.`
}

function messageText(row, recorded) {
  const { id, message, meaning, fix, relaxedBy = [] } = row
  const other = otherWording(id, message, recorded)
  return [
    `### ${id}`,
    `\`\`\`text\n${message}\n\`\`\``,
    meaning,
    `**Fix:** ${fix}.`,
    ...(relaxedBy.length === 0
      ? []
      : [`With ${relaxedBy.join(' and ')} the verifier allows or offers more.`]),
    ...(other === '' ? [] : [`Kernel ${other}`]),
  ].join('\n\n')
}

/** Text of docs/verifier-errors.md. */
export async function verifierPage() {
  const recorded = recordedMessages()
  const page = `
# What the verifier's messages mean

The kernel's verifier has some six hundred messages. These are the ones that programs meet most often, as kernel 6.18 spells
them; numbers and names are those of an example. A \`VerifierError\` carries the row that fits (\`explanation\`), and its fix as the
hint. Each row has a program that provokes it and a mended twin that loads (\`packages/loader/test/kernel/verifier\`), and logs
of kernels 6.1, 6.12 and 6.18 (\`packages/loader/test/golden/verifier\`; \`too-complex\` of 6.18 alone). A message that is not here is shown as it is, with the
instruction and its line of source.

From 7.3 on the kernel adds a report of its own to the log, which begins with \`Verification failed:\` and has the sections
Reason, At, Causal path and Suggestion (kernel/bpf/diagnostics.c). It is parsed too (\`error.details.report\`), and its suggestion
becomes the hint. That is read from the kernel's sources: no kernel so new was at hand to prove it.

What is missing on a kernel has its own code: \`LOADER_POISONED\` (a CO-RE relocation without a value, explained), \`LOADER_NO_HELPER\`,
\`LOADER_NO_KFUNC\`, \`LOADER_DENIED\` (a capability: see [privileges](privileges.md)).

${verifierMessages.map((row) => messageText(row, recorded)).join('\n\n')}
`
  return format(page)
}

/** Text of docs/privileges.md. */
export async function privilegesPage() {
  const rows = operationPrivileges.map(({ operation, capabilities, file, note }) => {
    const needs = capabilities.length === 0 ? 'none' : capabilities.join(', ')
    return `| ${operation} | ${needs} | ${file === undefined ? '' : `\`${file}\``} | ${note ?? ''} |`
  })
  const page = `
# Privileges

What each operation asks of the process, from kernel 5.8 on; before, CAP_SYS_ADMIN for all of them. The user id alone decides only
about files. CAP_SYS_ADMIN stands for CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; all count only in the initial user namespace.
A refusal names what is missing: the capability, or the file whose permissions decide.

| operation | capabilities | file | note |
| --- | --- | --- | --- |
${rows.join('\n')}

\`missingPrivileges(sys, spec)\` says it for an object before anything is tried. The table is kept true by
\`packages/loader/test/kernel/privileges.test.ts\`: as root, as root with only CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN, and as
another user with these three.
`
  return format(page)
}

async function format(text) {
  const options = await prettier.resolveConfig(join(root, 'docs/support.md'))
  return prettier.format(text, { ...options, parser: 'markdown' })
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(root, 'docs/verifier-errors.md'), await verifierPage())
  writeFileSync(join(root, 'docs/privileges.md'), await privilegesPage())
}
