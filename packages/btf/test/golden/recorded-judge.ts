import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { libbpf, libbpfVersion, noLibbpf, sha256 } from '../libbpf.ts'
import type { Case } from './dedup-cases.ts'

/** libbpf's answers: by question, a hash of what was asked, and for each file the hash of what it wrote. */
type Answers = Record<string, Record<string, string>>

const hashes = new WeakMap<Uint8Array, string>()

/** The start of a hash; a kernel that is asked about often is hashed once. */
function short(bytes: Uint8Array): string {
  const known = hashes.get(bytes) ?? sha256(bytes).slice(0, 24)
  hashes.set(bytes, known)
  return known
}

/** What follows the header: libbpf keeps the longer header of newer BTF, and this package writes the plain one. */
function content(bytes: Uint8Array, file: string): Uint8Array {
  if (file === 'ext') return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return bytes.subarray(view.getUint32(4, bytes[0] === 0x9f))
}

/**
 * A judge whose answers are kept in a file beside this one. `judge` compares with what libbpf said to the very same
 * question; what it has not been asked before, it is asked now. With TSBPF_RECORD=1 it is asked everything, and the
 * file is written.
 */
export function recordedJudge(file: string): {
  readonly judge: (question: Case) => void
  readonly judgedBy: string
} {
  const path = join(import.meta.dirname, file)
  const recording = process.env['TSBPF_RECORD'] === '1'
  const known = recording
    ? { judge: `libbpf ${libbpfVersion()}`, answers: {} as Answers }
    : (JSON.parse(readFileSync(path, 'utf8')) as { readonly judge: string; readonly answers: Answers })
  const given: Answers = {}
  afterAll(() => {
    if (recording) writeFileSync(path, `${JSON.stringify({ ...known, answers: given }, undefined, 1)}\n`)
  })
  const judge = ({ name, ask, ours }: Case): void => {
    const words = ask.map((arg) => (typeof arg === 'string' ? arg : short(arg))).join(' ')
    const asked = short(new TextEncoder().encode(words))
    const mine = Object.fromEntries([...ours].map(([out, bytes]) => [out, short(content(bytes, out))]))
    let answer = known.answers[name]
    if (answer?.['asked'] !== asked) {
      if (noLibbpf !== undefined) throw new Error(`${name} is not recorded, and ${noLibbpf}`)
      const theirs = libbpf(ask, [...ours.keys()])
      expect(theirs.ok, `${name}: ${theirs.text}`).toBe(true)
      const wrote = [...ours.keys()].map((out) => [out, short(content(theirs.files.get(out)!, out))] as const)
      answer = { asked, ...Object.fromEntries(wrote) }
    }
    given[name] = answer
    expect({ asked, ...mine }, name).toEqual(answer)
  }
  return { judge, judgedBy: known.judge }
}
