import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import { chainWords, kindArray, kindEnum, kindEnum64, kindStruct, kindUnion } from './kind-numbers.ts'

/**
 * Numbers of 64 bits, each in four parts of 16, the lowest first: bigints would be a hundred thousand objects for the
 * garbage collector. By place: the sum and the hash of a type and of a member's, and the hash of a name.
 */
const cells = new Int32Array(20)
const size = 4
const ofMember = 8
const ofName = 16

/**
 * A number of 64 bits by which bpftool tells types of one name apart (`btf_type_disambig_hash`), so that they come in
 * an order that does not depend on their ids. It is asked for few types: those with the same name.
 */
export function likeness(flat: CTypes, steps: CSteps, root: number): bigint {
  sumUp(flat, steps, root, 0)
  let sum = 0n
  for (let part = size - 1; part >= 0; part--) sum = (sum << 16n) | BigInt(cells[part] ?? 0)
  return sum
}

/** Puts the likeness at a place; that of a member leaves its own members out. */
function sumUp(flat: CTypes, steps: CSteps, root: number, sum: 0 | typeof ofMember): void {
  const { words, starts, kinds, strings } = flat
  const hash = sum + size
  cells.fill(0, sum, hash)
  let at = root
  for (let step = 0; step < limits.resolveSteps && at !== 0; step++) {
    const start = starts[at] ?? 0
    const kind = kinds[at] ?? 0
    hashName(strings, steps, words[start] ?? 0)
    cells.copyWithin(hash, ofName, ofName + size)
    const record = kind === kindStruct || kind === kindUnion
    if (record ? sum === 0 : kind === kindEnum || kind === kindEnum64) {
      const each = kind === kindEnum ? 2 : 3
      const end = start + 3 + vlenOfInfo(words[start + 1] ?? 0) * each
      for (let value = start + 3; value < end; value += each) {
        const name = words[value] ?? 0
        if (name !== 0) {
          multiply(hash, 31)
          hashName(strings, steps, name)
          addTo(hash, ofName)
        }
        if (!record) continue
        multiply(hash, 31)
        sumUp(flat, steps, words[value + 1] ?? 0, ofMember)
        addTo(hash, ofMember)
      }
    }
    const next = chainWords[kind] ?? 0
    if (kind === kindArray) {
      const count = words[start + 5] ?? 0
      cells.set([count & 0xffff, count >>> 16, 0, 0], ofName)
      multiply(hash, 31)
      addTo(hash, ofName)
    }
    if (next !== 0) multiply(hash, 31)
    addTo(sum, hash)
    if (next === 0) break
    at = words[start + next] ?? 0
  }
}

/** Puts the hash of a name at its place: the sum of its characters, each 31 times what follows; they are signed. */
function hashName(strings: Uint8Array, steps: CSteps, offset: number): void {
  cells.fill(0, ofName, ofName + size)
  if (offset === 0) return
  for (let at = offset; ;) {
    // So many characters at a time as leave a part's product a small integer.
    let few = 0
    let factor = 1
    for (; factor < 31 ** 3 && strings[at] !== 0 && strings[at] !== undefined; at++, factor *= 31)
      few = few * 31 + (((strings[at] ?? 0) << 24) >> 24)
    if (factor === 1) return
    multiply(ofName, factor, few)
    if (--steps.left < 0) throw tooManySteps()
  }
}

/** Multiplies a number by a factor of up to 31 ** 3, and adds a small one. */
function multiply(number: number, factor: number, more = 0): void {
  let carry = more
  for (let at = number; at < number + size; at++) {
    const part = (cells[at] ?? 0) * factor + carry
    cells[at] = part & 0xffff
    carry = part >> 16
  }
}

/** Adds one number to another. */
function addTo(number: number, other: number): void {
  let carry = 0
  for (let part = 0; part < size; part++) {
    const sum = (cells[number + part] ?? 0) + (cells[other + part] ?? 0) + carry
    cells[number + part] = sum & 0xffff
    carry = sum >> 16
  }
}
