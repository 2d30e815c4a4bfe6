/**
 * Writes docs/support.md from the registries of the packages, so that the table says what the code does:
 * `node tools/support.mjs [--check]`. Needs the build. What is proven is proven by the tests that the page names.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import prettier from 'prettier'
import { coreKinds } from '@tsbpf/core-reloc'
import { instructionSet } from '@tsbpf/isa'
import { attachKindOf } from '@tsbpf/link'
import { loadable } from '@tsbpf/loader'
import { mapOperations } from '@tsbpf/maps'
import { parseSectionName } from '@tsbpf/object'
import { progTypes, sections } from '@tsbpf/uapi'

const root = join(import.meta.dirname, '..')
const file = join(root, 'docs/support.md')
const golden = (name) => JSON.parse(readFileSync(join(root, 'packages/isa/test/golden', name), 'utf8'))

/** What this kernel was built without. */
const refused = new Map([['lirc_mode2', 'CONFIG_BPF_LIRC_MODE2 is not set']])

function table(head, rows) {
  const cells = (row) => row.map((cell) => String(cell).replaceAll('|', '\\|'))
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${cells(row).join(' | ')} |`).join('\n')
}

function nameOf(section) {
  if (section.match === 'exact') return `\`${section.prefix}\``
  return section.match === 'optional'
    ? `\`${section.prefix}\`, \`${section.prefix}/…\``
    : `\`${section.prefix}/…\``
}

function sectionOf(type) {
  const section = sections.find(
    (row) => row.progType === type && (type !== 'tracing' || row.prefix === 'tp_btf'),
  )
  return section ?? sections.find((row) => row.progType === type)
}

/** Kernels on which a test attaches it and sees it run, by section; packages/link/test/kernel/proofs.test.ts holds it to them. */
const proofs = JSON.parse(readFileSync(join(root, 'packages/link/test/kernel/proofs.json'), 'utf8'))

const programs = progTypes.rows
  .filter((row) => row.name !== 'unspec')
  .map(({ name }) => {
    const section = sectionOf(name)
    if (!loadable(name, section?.attachType))
      return [`\`${name}\``, 'unsupported', 'its attach target in the kernel is not resolved yet']
    if (name === 'struct_ops')
      return [`\`${name}\``, 'proven on 6.12, 6.18', 'loads as an operation of a struct_ops map']
    if (name === 'ext')
      return [
        `\`${name}\``,
        'proven on 6.1, 6.12',
        'loads as `freplace`; this 6.18 refuses what needs a trampoline',
      ]
    const why = refused.get(name)
    if (why) return [`\`${name}\``, 'refused by this kernel', why]
    // These two are loaded where they are attached; the others on all three.
    const kernels = name === 'lsm' || name === 'netfilter' ? proofs[name] : ['6.1', '6.12', '6.18']
    return [`\`${name}\``, `proven on ${kernels.join(', ')}`, `loads as \`${section?.prefix}\``]
  })

/** Why no kernel that there is can prove an attach kind; `undefined` where one could. */
function unprovable({ prefix, progType }) {
  if (newerSections.has(prefix)) return 'newer than 6.18'
  if (progType === 'lirc_mode2') return 'none of the kernels is built with infrared receivers (RC_CORE)'
  return undefined
}

/** Sections that the libbpf of the facts does not have: of kernels to come, but for those that a kernel proves. */
const documented = JSON.parse(readFileSync(join(root, 'packages/uapi/facts/documentation.json'), 'utf8'))
const newerSections = new Set(
  documented.sections.map(({ prefix }) => prefix).filter((prefix) => proofs[prefix] === undefined),
)

const attachments = sections.map((section) => {
  const parsed = parseSectionName(section.match === 'required' ? `${section.prefix}/x` : section.prefix)
  const { type, attachType } = parsed
  const kind = attachKindOf(parsed)
  const kernels = proofs[section.prefix] ?? []
  const state = kernels.length > 0 ? `proven on ${kernels.join(', ')}` : 'implemented but not proven'
  const why = unprovable(section)
  if (!kind) {
    const note = unsupported(section)
    return [nameOf(section), `\`${type}\``, kernels.length > 0 ? state : 'unsupported', note]
  }
  const ends = kind.endsWithProcess ? 'ends with the process' : 'outlives the process'
  const note = `kind \`${kind.kind}\`, since ${kind.sinceKernel}; ${ends}`
  return [nameOf(section), `\`${type}\``, state, why === undefined ? note : `${note}; not proven: ${why}`]
})

function unsupported({ prefix }) {
  if (prefix === 'syscall') return 'runs by test run; there is nothing to attach it to'
  if (prefix.startsWith('xdp')) return 'runs from a devmap or cpumap, whose entries name it'
  if (prefix.startsWith('struct_ops'))
    return 'belongs to a struct_ops map, which is attached: `attachStructOps`'
  if (newerSections.has(prefix)) return 'attaching is not built yet: newer than 6.18'
  return 'attaching is not built yet'
}

/** Newer than the kernels that there are. */
const newer = new Set(['insn_array', 'rhash'])
const maps = [...mapOperations].map(([name, operations]) => {
  const { key, walk, batch, perCpu } = operations
  const keyed = key !== 'none'
  const bloom = name === 'bloom_filter'
  const can = [
    ...(operations.get ? (keyed ? ['get', 'has'] : bloom ? ['hasValue'] : ['peek']) : []),
    ...(operations.set ? [keyed ? 'set' : 'push'] : []),
    ...(operations.delete ? ['delete'] : []),
    ...(operations.lookupAndDelete ? [keyed ? 'lookupAndDelete' : 'pop'] : []),
    ...(walk === 'none' ? [] : ['walk']),
    ...(batch.length > 0 ? [`batches: ${batch.join(', ')}`] : []),
    ...(perCpu ? ['a value for each processor'] : []),
    ...(operations.value === 'object' ? ['descriptors in, ids out'] : []),
    ...(operations.use === undefined ? [] : [operations.use]),
  ]
  const state = newer.has(name) ? 'refused by this kernel' : 'proven on 6.18'
  return [`\`${name}\``, can.join('; '), operations.sinceKernel ?? 'newer than 7.1', state]
})

const llvm = golden('llvm.json')
const verifier = golden('verifier.json')
const gnu = golden('gnu.json')
const seen = (list) => new Set(list.map((row) => row.op))
const inLlvm = seen(llvm.insns)
/** Rows that no tool prints as we do; packages/isa/test/golden/without-oracle.test.ts keeps the list true. */
const withoutOracle = golden('without-oracle.json')
const judged = (dialect, name) => withoutOracle[dialect][name] === undefined
const unproven = 'implemented but not proven'
const instructions = instructionSet.map(({ name, opcode, source }) => [
  `\`${name}\``,
  `0x${opcode.toString(16).padStart(2, '0')}`,
  source,
  inLlvm.has(name) && judged('llvm', name) ? 'proven' : unproven,
  judged('gnu', name) ? 'proven' : unproven,
  judged('verifier', name) ? 'proven on 6.18' : 'refused by this kernel',
])

const page = `# What works

Made by \`tools/support.mjs\` from the registries of the packages; do not edit. States: **proven** (a test runs it on the kernel
or against the oracle that is named), **implemented but not proven**, **unsupported**, **refused by this kernel**. The kernels are
6.18, and Debian's 6.1 and 6.12 in a virtual machine (\`npm run test:vm\`); what one of them does not prove, it does not have.

## Program types

Loading, by \`packages/loader/test/kernel/program-types.test.ts\`, which reads this table.

${table(['type', 'state', 'note'], programs)}

## Attach kinds

By section name, as libbpf knows them. Proven ones by \`packages/link/test/kernel/\`, whose table \`proofs.json\` is held to
what runs on each kernel.

${table(['section', 'program type', 'state', 'note'], attachments)}

## Map types

By \`packages/maps/test/kernel/map-*.test.ts\`, which have a test for each.

${table(['type', 'operations', 'since kernel', 'state'], maps)}

## CO-RE relocation kinds

Each equals what libbpf 1.5 does, by \`packages/core-reloc/test/golden/libbpf.test.ts\`.

${table(
  ['kind', 'number', 'state'],
  coreKinds.rows.map((row) => [`\`${row.name}\``, row.value, 'proven']),
)}

## Instructions

Encoded, decoded, printed and read; the text judged by llvm-objdump (${Object.values(llvm.head.versions).slice(-3).join(', ')}), by
${gnu.head.version}, and by the log of the verifier (${verifier.head.kernel.replace(/-.*/, '')}), on which each is run too and computes what
RFC 9669 says (\`packages/loader/test/kernel/instructions/\`).

${table(['instruction', 'opcode', 'source', 'as LLVM prints it', 'as GNU prints it', 'logged and run'], instructions)}
`

const text = await prettier.format(page, { parser: 'markdown', ...(await prettier.resolveConfig(file)) })
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('error: docs/support.md is not what the packages say\nhint: node tools/support.mjs')
    process.exit(1)
  }
} else {
  writeFileSync(file, text)
}
