import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import { chainWords, kindArray, kindEnum, kindEnum64, kindStruct, kindUnion } from './kind-numbers.ts'

const bits = (value: bigint): bigint => BigInt.asUintN(64, value)

/**
 * A number of 64 bits by which bpftool tells types of one name apart (`btf_type_disambig_hash`), so that they come in
 * an order that does not depend on their ids. It is asked for few types: those with the same name.
 */
export function likeness(flat: CTypes, steps: CSteps, root: number, members = true): bigint {
  const { words, starts, kinds, strings } = flat
  let sum = 0n
  let at = root
  for (let step = 0; step < limits.resolveSteps && at !== 0; step++) {
    const start = starts[at] ?? 0
    const kind = kinds[at] ?? 0
    let hash = nameHash(strings, steps, words[start] ?? 0)
    const mix = (offset: number): void => {
      if (offset !== 0) hash = bits(hash * 31n + nameHash(strings, steps, offset))
    }
    const record = kind === kindStruct || kind === kindUnion
    if (record ? members : kind === kindEnum || kind === kindEnum64) {
      const each = kind === kindEnum ? 2 : 3
      const end = start + 3 + vlenOfInfo(words[start + 1] ?? 0) * each
      for (let value = start + 3; value < end; value += each) {
        mix(words[value] ?? 0)
        if (record) hash = bits(hash * 31n + likeness(flat, steps, words[value + 1] ?? 0, false))
      }
    }
    const next = chainWords[kind] ?? 0
    if (kind === kindArray) hash = hash * 31n + BigInt(words[start + 5] ?? 0)
    sum = bits(sum + (next === 0 ? hash : hash * 31n))
    if (next === 0) break
    at = words[start + next] ?? 0
  }
  return sum
}

/** Of a name's characters, each 31 times what follows; they are signed. */
function nameHash(strings: Uint8Array, steps: CSteps, offset: number): bigint {
  let hash = 0n
  if (offset === 0) return hash
  for (let at = offset; ;) {
    // So many characters at a time as fit a number.
    let few = 0
    let factor = 1
    for (; factor < 31 ** 8 && strings[at] !== 0 && strings[at] !== undefined; at++, factor *= 31)
      few = few * 31 + (((strings[at] ?? 0) << 24) >> 24)
    if (factor === 1) return hash
    hash = bits(hash * BigInt(factor) + BigInt(few))
    if (--steps.left < 0) throw tooManySteps()
  }
}
