import { vlenOfInfo } from '../kinds.ts'
import { limits } from '../limits.ts'
import { tooManySteps } from './c-steps.ts'
import type { CSteps } from './c-steps.ts'
import type { CTypes } from './c-types.ts'
import {
  kindArray,
  kindDeclTag,
  kindEnum,
  kindEnum64,
  kindStruct,
  kindTypedef,
  kindUnion,
  nextWords,
} from './kind-numbers.ts'

/** A number of 64 bits: the higher and lower 32. */
interface Wide {
  high: number
  low: number
}

/** 31 times `sum`, plus a number. */
function add(sum: Wide, high: number, low: number): void {
  const lower = sum.low * 31 + low
  sum.high = (sum.high * 31 + Math.floor(lower / 0x1_0000_0000) + high) % 0x1_0000_0000
  sum.low = lower % 0x1_0000_0000
}

/**
 * A number by which bpftool tells types of one name apart (`btf_type_disambig_hash`), so that they come in an order
 * that does not depend on their ids; as text that sorts like it. It is asked for few types: those with the same name.
 */
export function likeness(flat: CTypes, steps: CSteps, id: number): string {
  const { high, low } = hashOf(flat, steps, id, true)
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

/** Mixes in a name, or nothing for none. */
function mix(strings: Uint8Array, steps: CSteps, hash: Wide, offset: number): void {
  if (offset === 0) return
  const name: Wide = { high: 0, low: 0 }
  for (let at = offset; ; at++) {
    const byte = strings[at] ?? 0
    if (byte === 0) break
    if (--steps.left < 0) throw tooManySteps()
    // bpftool's characters are signed.
    if (byte < 128) add(name, 0, byte)
    else add(name, 0xffff_ffff, 0xffff_ff00 + byte)
  }
  add(hash, name.high, name.low)
}

function hashOf(flat: CTypes, steps: CSteps, root: number, members: boolean): Wide {
  const { words, starts, kinds, strings } = flat
  const sum: Wide = { high: 0, low: 0 }
  const put = ({ high, low }: Wide): void => {
    const lower = sum.low + low
    sum.high = (sum.high + high + Math.floor(lower / 0x1_0000_0000)) % 0x1_0000_0000
    sum.low = lower % 0x1_0000_0000
  }
  let at = root
  for (let step = 0; step < limits.resolveSteps && at !== 0; step++) {
    const start = starts[at] ?? 0
    const kind = kinds[at] ?? 0
    const hash: Wide = { high: 0, low: 0 }
    mix(strings, steps, hash, words[start] ?? 0)
    const record = kind === kindStruct || kind === kindUnion
    if (record ? members : kind === kindEnum || kind === kindEnum64) {
      const each = kind === kindEnum ? 2 : 3
      const end = start + 3 + vlenOfInfo(words[start + 1] ?? 0) * each
      for (let value = start + 3; value < end; value += each) {
        mix(strings, steps, hash, words[value] ?? 0)
        if (!record) continue
        const member = hashOf(flat, steps, words[value + 1] ?? 0, false)
        add(hash, member.high, member.low)
      }
    }
    const next = kind === kindTypedef || kind === kindDeclTag ? 2 : (nextWords[kind] ?? 0)
    if (next !== 0) {
      if (kind === kindArray) add(hash, 0, words[start + 5] ?? 0)
      add(hash, 0, 0)
    }
    put(hash)
    if (next === 0) break
    at = words[start + next] ?? 0
  }
  return sum
}
