/**
 * Proves the C that `printC` makes of a BTF with compilers: that each clang takes it as it is, that `_Static_assert`s
 * hold for the sizes of all its structs, unions and enums, and that a program with one pointer per named struct and
 * union, compiled with `-g`, has BTF in which each has the same size and the same members at the same bits.
 *
 *     node packages/btf/test/golden/verify-c.mjs FILE...     after the build
 *
 * FILE is BTF, maybe with gzip, or an object. It takes `clang-14`, `clang-19`, `clang-22` and `clang`, as many as are on PATH, or
 * those in the environment variable CLANGS. It exits with 1 when there is a difference. Types that a compiler's BTF does
 * not have are listed: clang 14 leaves out what it has met behind a pointer before.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const records = new Set(['struct', 'union'])

/** The BTF of a file: the file itself, without its gzip, or the `.BTF` of an object. */
export function readBtf(file) {
  const bytes = readFileSync(file)
  if (bytes[0] === 0x7f) return btfOf(file)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}

/** The clangs of CLANGS or PATH. */
export function clangs() {
  const names = process.env.CLANGS?.split(' ') ?? ['clang-14', 'clang-19', 'clang-22', 'clang']
  const found = names.filter((name) => spawnSync(name, ['--version']).status === 0)
  return found.length > 1 ? found.filter((name) => name !== 'clang') : found
}

/** The `.BTF` section of an object. */
function btfOf(object) {
  const bytes = readFileSync(object)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const little = bytes[5] === 1
  const at = Number(view.getBigUint64(40, little))
  const names = at + view.getUint16(62, little) * 64
  const count = view.getUint16(60, little)
  const offset = (header) => Number(view.getBigUint64(header + 24, little))
  for (let i = 0; i < count; i++) {
    const header = at + i * 64
    const name = offset(names) + view.getUint32(header, little)
    if (bytes.toString('latin1', name, name + 5) !== '.BTF\0') continue
    return bytes.subarray(offset(header), offset(header) + Number(view.getBigUint64(header + 32, little)))
  }
  throw new Error(`${object} has no .BTF`)
}

/** Size and members of a struct or union, those of anonymous members included, as one text. */
function signature(btf, type) {
  const members = type.members.map((member) => {
    const behind = btf.resolve(member.type)
    const inner = member.name === '' && records.has(behind.kind) ? signature(btf, behind) : ''
    return `${member.name}@${member.offsetBits}:${member.bitfieldSizeBits}${inner}`
  })
  return `${type.size}{${members.join(' ')}}`
}

/** Structs of one name are `name`, `name___2`, … in C. */
const nameInBtf = (name) => name.replace(/___\d+$/, '')

function layouts(btf) {
  const found = new Map()
  for (let id = 1; id < btf.endId; id++) {
    if (!records.has(btf.kind(id)) || btf.nameOf(id) === '') continue
    const type = btf.type(id)
    const key = `${type.kind} ${nameInBtf(type.name)}`
    found.set(key, [...(found.get(key) ?? []), signature(btf, type)])
  }
  for (const list of found.values()) list.sort()
  return found
}

/** Whether each of some texts is among others, as often. */
function isPart(some, others) {
  const left = [...others]
  return some.every((text) => {
    const at = left.indexOf(text)
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  })
}

function sizes(btf) {
  const found = new Map()
  for (let id = 1; id < btf.endId; id++) {
    const type = btf.type(id)
    const enumeration = type.kind === 'enum' || type.kind === 'enum64'
    if (!('size' in type) || type.name === '' || !(records.has(type.kind) || enumeration)) continue
    // An enum without values is a forward declaration, for which C has no size.
    if (enumeration && type.values.length === 0) continue
    const key = `${enumeration ? 'enum' : type.kind} ${nameInBtf(type.name)}`
    found.set(key, [...new Set(found.get(key)).add(type.size)])
  }
  return found
}

/**
 * Compares; `library` is `@tsbpf/btf`. The result says what each compiler found: `errors` of the compiler, `different`
 * types with both layouts, and `dropped` ones that the compiler's BTF does not have.
 */
export function verifyC(library, bytes, compilers, options = {}) {
  const { parseBtf, printC } = library
  const btf = parseBtf(bytes)
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-verify-c-'))
  try {
    const header = [...printC(btf, options)].join('')
    writeFileSync(join(folder, 'vmlinux.h'), header)
    const tags = [...header.matchAll(/^(struct|union) (\w+) \{/gm)].map(([, kind, name]) => `${kind} ${name}`)
    const enums = [...header.matchAll(/^enum (\w+) \{/gm)].map(([, name]) => `enum ${name}`)
    const known = sizes(btf)
    const asserts = [...tags, ...enums].map((tag) => {
      const right = (known.get(tag) ?? known.get(nameInBtf(tag)) ?? []).map(
        (size) => `sizeof(${tag}) == ${size}`,
      )
      return `_Static_assert(${right.join(' || ')}, "${tag}");`
    })
    const pointers = tags.map((tag, i) => `${tag} *pointer_${i};`)
    writeFileSync(join(folder, 'header.bpf.c'), '#include "vmlinux.h"\n')
    writeFileSync(
      join(folder, 'types.bpf.c'),
      ['#include "vmlinux.h"', ...asserts, ...pointers, ''].join('\n'),
    )
    const expected = layouts(btf)
    return compilers.map((compiler) => {
      const errors = []
      const compile = (source, ...flags) => {
        const object = join(folder, `${source}.o`)
        const args = ['-target', btf.littleEndian ? 'bpfel' : 'bpfeb', '-g', ...flags, '-c', join(folder, source), '-o', object]
        const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
        if (status !== 0 || stderr !== '') errors.push(stderr.slice(0, 2000))
        return status === 0 ? object : undefined
      }
      compile('header.bpf.c')
      const object = compile('types.bpf.c', '-ferror-limit=0')
      const different = []
      const dropped = []
      const actual = object === undefined ? new Map() : layouts(parseBtf(btfOf(object)))
      if (object !== undefined) {
        for (const tag of new Set(tags.map(nameInBtf))) {
          const right = expected.get(tag) ?? []
          const got = actual.get(tag) ?? []
          if (got.length < right.length) dropped.push(tag)
          if (!isPart(got, right)) different.push({ tag, right, got })
        }
      }
      return { compiler, types: tags.length, asserts: asserts.length, errors, different, dropped }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === import.meta.filename) {
  const files = process.argv.slice(2)
  const compilers = clangs()
  if (files.length === 0 || compilers.length === 0) {
    console.error(files.length === 0 ? 'usage: verify-c.mjs FILE...' : 'error: no clang on PATH')
    process.exit(2)
  }
  const library = await import('@tsbpf/btf')
  for (const file of files) {
    for (const row of verifyC(library, readBtf(file), compilers)) {
      const { compiler, types, asserts, errors, different, dropped } = row
      if (errors.length > 0 || different.length > 0) process.exitCode = 1
      console.log(
        `${basename(file)} ${compiler}: ${types} structs and unions, ${asserts} sizes asserted, ` +
          `${errors.length === 0 ? 'compiles' : 'DOES NOT COMPILE'}, ${different.length} differ, ` +
          `${dropped.length} dropped`,
      )
      if (dropped.length > 0) console.log(`  dropped: ${dropped.join(', ')}`)
      for (const error of errors) console.log(error)
      for (const { tag, right, got } of different.slice(0, 10))
        console.log(`  ${tag}\n    ${right}\n    ${got}`)
    }
  }
}
