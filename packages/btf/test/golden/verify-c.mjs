/**
 * Proves the C that `printC` makes of a BTF with compilers: that each clang takes it as it is, that `_Static_assert`s
 * hold for the sizes of all its structs, unions and enums, and that programs with one pointer for each named struct and
 * union, compiled with `-g`, have BTF in which each has the same size and the same members at the same bits. What a
 * compiler leaves out there (clang 14 does where it has met a type behind a pointer before) is asked for again with
 * a value of each; what it leaves out even then is listed.
 *
 *     node packages/btf/test/golden/verify-c.mjs FILE...             after the build
 *     node packages/btf/test/golden/verify-c.mjs --record FILE...    keeps the hashes of what was proven, for the tests
 *
 * FILE is BTF, maybe with gzip, or an object. It takes clang-14, clang-19 and clang-22, as many as are on PATH, or
 * those in the environment variable CLANGS. It exits with 1 when there is a difference.
 */
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const records = new Set(['struct', 'union'])
/** Types of one program: a clang takes time with their square. */
const typesOfProgram = 1500

/** The BTF of a file: the file itself, without its gzip, or the `.BTF` of an object. */
export function readBtf(file) {
  const bytes = readFileSync(file)
  if (bytes[0] === 0x7f) return btfOf(file)
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}

/** The clangs of CLANGS or PATH. */
export function clangs() {
  const names = process.env.CLANGS?.split(' ') ?? ['clang-14', 'clang-19', 'clang-22']
  return names.filter((name) => spawnSync(name, ['--version']).status === 0)
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

/** By tag, as `struct name`, of those that are wanted: the layouts of all types of that name, sorted. */
function layouts(btf, wanted, nameOf) {
  const found = new Map()
  for (let id = 1; id < btf.endId; id++) {
    if (!records.has(btf.kind(id))) continue
    const tag = `${btf.kind(id)} ${nameOf(btf.nameOf(id))}`
    if (!wanted.has(tag)) continue
    const type = btf.type(id)
    found.set(tag, [...(found.get(tag) ?? []), signature(btf, type)].sort())
  }
  return found
}

function sizes(btf) {
  const found = new Map()
  for (let id = 1; id < btf.endId; id++) {
    const enumeration = btf.kind(id) === 'enum' || btf.kind(id) === 'enum64'
    if (!(records.has(btf.kind(id)) || enumeration) || btf.nameOf(id) === '') continue
    const type = btf.type(id)
    // An enum without values is a forward declaration, for which C has no size.
    if (enumeration && type.values.length === 0) continue
    const key = `${enumeration ? 'enum' : type.kind} ${nameInBtf(type.name)}`
    found.set(key, [...new Set(found.get(key)).add(type.size)])
  }
  return found
}

/** The C of a BTF, its tags, assertions on their sizes, and the hash of it all; `library` is `@tsbpf/btf`. */
function programOf({ parseBtf, printC }, bytes) {
  const btf = parseBtf(bytes)
  const header = [...printC(btf)].join('')
  const tags = [...header.matchAll(/^(struct|union) (\w+) \{/gm)].map(([, kind, name]) => `${kind} ${name}`)
  const enums = [...header.matchAll(/^enum (\w+) \{/gm)].map(([, name]) => `enum ${name}`)
  const known = sizes(btf)
  const asserts = [...tags, ...enums].map((tag) => {
    const right = (known.get(nameInBtf(tag)) ?? []).map((size) => `sizeof(${tag}) == ${size}`)
    return `_Static_assert(${right.join(' || ')}, "${tag}");`
  })
  const hash = createHash('sha256').update(header).update(asserts.join('\n')).digest('hex')
  return { btf, header, tags, asserts, hash }
}

let running = 0
const waiting = []

/** Runs a compiler, two at a time; `failed` where it did not exit with 0. */
async function run(compiler, args) {
  if (running === 2) await new Promise((resolve) => waiting.push(resolve))
  else running++
  try {
    return await new Promise((resolve) => {
      execFile(compiler, args, { maxBuffer: 1 << 28 }, (error, _, stderr) => {
        resolve({ failed: error !== null, stderr: error === null ? stderr : stderr || error.message })
      })
    })
  } finally {
    // The place is handed on.
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

/** Whether two lists have the same texts, each as often. */
const alike = (one, other) => one.length === other.length && one.every((text, i) => text === other[i])

/**
 * Compares. The result says what each compiler found: `errors` of the compiler, `different` types with both layouts,
 * `behindPointers` that it left out at first, and `dropped` ones that its BTF does not have even with a value of
 * them. With `sample`, the sizes of all types are asserted, and the layouts of about so many compared.
 */
export async function verifyC(library, bytes, compilers, { sample } = {}) {
  const { btf, header, tags, asserts, hash } = programOf(library, bytes)
  const stride = sample === undefined ? 1 : Math.ceil(tags.length / sample)
  const asked = tags.filter((_, i) => i % stride === 0)
  const expected = layouts(btf, new Set(asked.map(nameInBtf)), nameInBtf)
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-verify-c-'))
  try {
    writeFileSync(join(folder, 'vmlinux.h'), header)
    const judged = compilers.map(async (compiler) => {
      const errors = []
      const compile = async (lines) => {
        const source = join(folder, `${basename(compiler)}.bpf.c`)
        const object = `${source}.o`
        writeFileSync(source, ['#include "vmlinux.h"', ...lines, ''].join('\n'))
        const target = btf.littleEndian ? 'bpfel' : 'bpfeb'
        const args = ['-target', target, '-g', '-ferror-limit=0', '-c', source, '-o', object]
        const { failed, stderr } = await run(compiler, args)
        if (failed || stderr !== '') errors.push(stderr.slice(0, 2000))
        return failed ? undefined : object
      }
      /** By tag in C: its layout; a tag that two programs lay out in two ways has both. */
      const actual = new Map()
      // The first program has the assertions.
      const unsaid = [...asserts]
      const ask = async (wanted, declare) => {
        for (let at = 0; at < wanted.length; at += typesOfProgram) {
          const rows = wanted.slice(at, at + typesOfProgram).map(declare)
          const object = await compile([...unsaid.splice(0), ...rows])
          if (object === undefined) return
          for (const [tag, found] of layouts(library.parseBtf(btfOf(object)), new Set(asked), (name) => name)) {
            const before = actual.get(tag) ?? []
            actual.set(tag, [...new Set([...before, ...found])])
          }
        }
      }
      await ask(asked, (tag, i) => `${tag} *pointer_${i};`)
      const behindPointers = asked.filter((tag) => !actual.has(tag))
      if (errors.length === 0) await ask(behindPointers, (tag, i) => `${tag} value_${i};`)
      const dropped = asked.filter((tag) => !actual.has(tag))
      const byName = groupBy(asked, nameInBtf)
      const different = []
      for (const [tag, variants] of byName) {
        const right = expected.get(tag) ?? []
        const got = variants.flatMap((variant) => actual.get(variant) ?? []).sort()
        const all = stride === 1 && !variants.some((variant) => dropped.includes(variant))
        if (all ? !alike(got, right) : got.some((text) => !right.includes(text))) different.push({ tag, right, got })
      }
      return {
        ...{ compiler, program: hash, types: tags.length, compared: asked.length - dropped.length, asserts: asserts.length },
        ...{ errors, different, behindPointers: behindPointers.length, dropped },
      }
    })
    return await Promise.all(judged)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** As `Map.groupBy`, which Node 20 lacks. */
function groupBy(rows, keyOf) {
  const found = new Map()
  for (const row of rows) found.set(keyOf(row), [...(found.get(keyOf(row)) ?? []), row])
  return found
}

if (process.argv[1] === import.meta.filename) {
  const recording = process.argv[2] === '--record'
  const files = process.argv.slice(recording ? 3 : 2)
  const compilers = clangs()
  if (files.length === 0 || compilers.length === 0) {
    console.error(files.length === 0 ? 'usage: verify-c.mjs [--record] FILE...' : 'error: no clang on PATH')
    process.exit(2)
  }
  const library = await import('@tsbpf/btf')
  const kernels = {}
  for (const file of files) {
    const bytes = readBtf(file)
    const found = await verifyC(library, bytes, compilers)
    kernels[createHash('sha256').update(bytes).digest('hex')] = {
      name: basename(file, '.btf.gz'),
      program: found[0].program,
      compilers: Object.fromEntries(
        found.map(({ compiler, types, compared, asserts, behindPointers, dropped }) => [
          compiler,
          { types, compared, asserts, behindPointers, dropped },
        ]),
      ),
    }
    for (const { compiler, types, compared, asserts, errors, different, behindPointers, dropped } of found) {
      if (errors.length > 0 || different.length > 0) process.exitCode = 1
      console.log(
        `${basename(file)} ${compiler}: ${types} structs and unions, ${compared} compared, ${asserts} sizes asserted, ` +
          `${errors.length === 0 ? 'compiles' : 'DOES NOT COMPILE'}, ${different.length} differ, ` +
          `${behindPointers} asked for by value, ${dropped.length} dropped`,
      )
      if (dropped.length > 0) console.log(`  dropped: ${dropped.join(', ')}`)
      for (const error of errors) console.log(error)
      for (const { tag, right, got } of different.slice(0, 10))
        console.log(`  ${tag}\n    ${right}\n    ${got}`)
    }
  }
  if (recording && process.exitCode === undefined) {
    const version = (name) => spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]
    const judges = Object.fromEntries(compilers.map((name) => [name, version(name)]))
    writeFileSync(
      join(import.meta.dirname, 'print/verified.json'),
      `${JSON.stringify({ judges, kernels }, undefined, 2)}\n`,
    )
  }
}
