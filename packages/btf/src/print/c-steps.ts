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
