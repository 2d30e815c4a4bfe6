import { errors } from '../errors.ts'
import { limits } from '../limits.ts'
import type { FlatBtf } from './flat-btf.ts'

/** How much more work there may be: types can be made that take forever to order, and names that all collide. */
export interface CSteps {
  left: number
}

export function cSteps(flat: FlatBtf): CSteps {
  return { left: limits.printedStepsLeast + flat.words.length * limits.printedSteps }
}

/** The error of types that take too many steps. */
export function tooManySteps(): Error {
  return errors.BTF_PRINT({ file: 'BTF', what: 'its types refer to each other too often' })
}

/** Orders two strings by their bytes, as `strcmp` does; long ones cost more steps. */
export function compareNames(strings: Uint8Array, steps: CSteps, left: number, right: number): number {
  if (left === right) return 0
  let i = 0
  let a = strings[left] ?? 0
  let b = strings[right] ?? 0
  while (a === b && a !== 0) {
    i++
    a = strings[left + i] ?? 0
    b = strings[right + i] ?? 0
  }
  steps.left -= i + 1
  if (steps.left < 0) throw tooManySteps()
  return a - b
}
