/**
 * Records what clang makes of a few hundred structs of a kernel: an instance of each, initialised in C with values that
 * this script chooses, and its size, alignment and members' offsets as C counts them. bpftool prints the types of the
 * pinned kernel as C; clang compiles them, once for each byte order; `structs.json.gz` has the values as written.
 *
 *     apt-get install clang-19 llvm-19 linux-source-6.12 && node packages/btf/test/golden/record-structs.mjs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-structs-'))
const run = (command, ...args) => execFileSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 })
const version = (command) => run(command, '--version').match(/.*version.*/)[0].trim()
const oracles = run(process.execPath, join(here, '../../../../tools/oracles/build.mjs')).trim()
const bpftool = join(oracles, 'bin/bpftool')

await build({
  entryPoints: [join(here, '../../src/index.ts')],
  bundle: true,
  format: 'esm',
  conditions: ['@tsbpf/source'],
  outfile: join(folder, 'btf.mjs'),
  logLevel: 'silent',
})
const { memberBits, parseBtf } = await import(join(folder, 'btf.mjs'))

const pinned = 'vmlinux-6.12-debian-amd64.btf.gz'
const data = gunzipSync(readFileSync(join(here, '../../../testkit/btf', pinned)))
const kernel = parseBtf(data)

/** The same numbers in every run. */
let seed = 12
const random = (below) => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor((seed / 2 ** 32) * below)
}
const randomBits = (bits) => {
  let value = 0n
  for (let i = 0; i < bits; i += 16) value = (value << 16n) | BigInt(random(65536))
  return BigInt.asUintN(bits, value)
}

/** C keywords cannot be names, though BTF may have them. */
const usable = (name) => /^[A-Za-z_]\w*$/.test(name)
const nothing = Symbol('nothing')

/** A value, and how C writes it; `nothing` for what is left zero. */
function sample(id, bits) {
  const type = kernel.resolve(id)
  switch (type.kind) {
    case 'int': {
      if (type.bool) {
        const value = random(2) === 1
        return { value, c: value ? '1' : '0' }
      }
      // The kernel's char has no sign, that of clang for BPF has one.
      const raw = randomBits(type.name === 'char' ? 7 : (bits ?? type.size * 8))
      return integer(type.signed ? BigInt.asIntN(bits ?? type.size * 8, raw) : raw, type.size)
    }
    case 'enum':
    case 'enum64': {
      const width = bits ?? type.size * 8
      const stored = (value) => (type.signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value))
      const row = type.values[random(type.values.length)]
      if (row === undefined) return nothing
      const number = stored(row.value)
      const name = type.values.find(({ value }) => stored(value) === number).name
      return { value: name, c: integer(number, type.size).c }
    }
    case 'ptr': {
      const value = randomBits(64)
      return { value: { big: String(value) }, c: `(void *)${value}ULL` }
    }
    case 'array':
      return array(type)
    case 'struct':
    case 'union':
      return record(type)
    default:
      return nothing
  }
}

function integer(value, size) {
  const low = BigInt.asUintN(64, value)
  let c = `${low}ULL`
  if (size === 16) c = `((unsigned __int128)${BigInt.asUintN(64, value >> 64n)}ULL << 64 | ${low}ULL)`
  else if (size === 8) c = value < 0n ? `(long long)${low}ULL` : c
  else c = value < 0n ? `(${value}LL)` : `${value}LL`
  return { value: size > 4 ? { big: String(value) } : Number(value), c }
}

function array(type) {
  const element = kernel.resolve(type.type)
  if (type.length === 0 || type.length > 40) return nothing
  const char = element.kind === 'int' && element.size === 1 && !element.bool
  if (char && (element.char || element.name === 'char')) {
    const text = Array.from({ length: random(type.length + 1) }, () => 33 + random(90))
    return { value: String.fromCharCode(...text), c: `{${text.join(', ')}}` }
  }
  if (char && !element.signed) {
    const bytes = Array.from({ length: type.length }, () => random(256))
    return { value: { hex: Buffer.from(bytes).toString('hex') }, c: `{${bytes.join(', ')}}` }
  }
  const parts = Array.from({ length: type.length }, () => sample(element.id))
  if (parts.includes(nothing)) return nothing
  return { value: parts.map(({ value }) => value), c: `{${parts.map(({ c }) => c).join(', ')}}` }
}

function record(type) {
  const value = {}
  const parts = []
  const members = [...type.members]
  if (type.kind === 'union') members.splice(0, members.length, members[random(members.length)])
  for (const member of members) {
    if (member === undefined) continue
    const behind = kernel.resolve(member.type)
    const { bitfield, sizeBits } = memberBits(kernel, member)
    if (member.name === '' && behind.kind !== 'struct' && behind.kind !== 'union') continue
    if (member.name !== '' && !usable(member.name)) continue
    const made = bitfield ? sample(behind.id, sizeBits) : sample(behind.id)
    if (made === nothing) continue
    if (member.name === '') {
      // Members of an anonymous member are named as its outer one's own; braces would need its place among the others.
      Object.assign(value, made.value)
      if (made.parts.length > 0) parts.push(...made.parts)
    } else {
      value[member.name] = made.value
      parts.push(`.${member.name} = ${made.c}`)
    }
  }
  return { value, parts, c: `{${parts.join(', ')}}` }
}

/** Paths of what has a place in bytes, some levels deep. */
function paths(type, prefix = '', depth = 0) {
  const list = []
  for (const member of type.members) {
    const behind = kernel.resolve(member.type)
    const { bitfield } = memberBits(kernel, member)
    const record = behind.kind === 'struct' || behind.kind === 'union'
    if (member.name === '') {
      if (record) list.push(...paths(behind, prefix, depth))
      continue
    }
    if (bitfield || !usable(member.name)) continue
    const path = prefix + member.name
    list.push(path)
    if (record && depth < 2) list.push(...paths(behind, `${path}.`, depth + 1))
    if (behind.kind === 'array' && behind.length > 0) {
      const element = kernel.resolve(behind.type)
      const at = `${path}[${behind.length - 1}]`
      list.push(at)
      if (element.kind === 'struct' && depth < 2) list.push(...paths(element, `${at}.`, depth + 1))
    }
  }
  return list
}

const wanted = 400
/** Names of one struct and of no other type: bpftool renames the others. */
const candidates = []
for (let id = 1; id < kernel.endId; id++) {
  if (kernel.kind(id) !== 'struct' && kernel.kind(id) !== 'union') continue
  const name = kernel.nameOf(id)
  if (!usable(name) || kernel.idsByName(name).length !== 1) continue
  const type = kernel.type(id)
  if (type.size === 0 || type.size > 1024 || type.members.length < 2) continue
  const hard = type.members.some((member) => member.name === '' || memberBits(kernel, member).bitfield)
  candidates.push({ type, hard })
}
candidates.sort((a, b) => (a.type.name < b.type.name ? -1 : 1))
/** Half of them with bitfields or anonymous members. */
const chosen = [true, false].flatMap((hard) => {
  const some = candidates.filter((one) => one.hard === hard)
  return some.filter((_, i) => Math.floor((i * wanted) / 2 / some.length) !== Math.floor(((i - 1) * wanted) / 2 / some.length))
})

const lines = ['#define BPF_NO_PRESERVE_ACCESS_INDEX', '#include "vmlinux.h"', '#define offsetof(t, m) __builtin_offsetof(t, m)']
const rows = chosen.map(({ type }, i) => {
  const { value, c } = record(type)
  const places = paths(type).slice(0, 60)
  const name = `${type.kind} ${type.name}`
  lines.push(`const volatile ${name} value_${i} __attribute__((section(".rodata.value.${i}"))) = ${c};`)
  const measured = places.map((path) => `offsetof(${name}, ${path}), sizeof(((${name} *)0)->${path})`)
  lines.push(
    `const volatile unsigned int places_${i}[] __attribute__((section(".rodata.places.${i}"))) = {`,
    `  sizeof(${name}), _Alignof(${name}), ${measured.join(', ')}};`,
  )
  return { type: name, value, paths: places }
})

writeFileSync(join(folder, 'kernel.btf'), data)
writeFileSync(join(folder, 'vmlinux.h'), run(bpftool, 'btf', 'dump', 'file', 'kernel.btf', 'format', 'c'))
writeFileSync(join(folder, 'structs.bpf.c'), `${lines.join('\n')}\n`)
const flags = ['-O2', '-g', '-w', '-mcpu=v3', '-fdebug-compilation-dir=.']
for (const order of ['el', 'eb']) {
  const object = `structs.clang-19.${order}.o`
  run('clang-19', '-target', `bpf${order}`, ...flags, '-c', 'structs.bpf.c', '-o', object)
  run('llvm-strip-19', '-g', object)
  writeFileSync(join(here, `${object}.gz`), gzipSync(readFileSync(join(folder, object)), { level: 9 }))
}
const judges = [run(bpftool, 'version').split('\n', 2).join(', '), version('clang-19')]
const golden = { judges, kernel: pinned, arguments: flags.join(' '), structs: rows }
writeFileSync(join(here, 'structs.json.gz'), gzipSync(JSON.stringify(golden), { level: 9 }))
if (process.env.KEEP === undefined) rmSync(folder, { recursive: true })
else console.log(folder)
console.log(`${rows.length} types`)
