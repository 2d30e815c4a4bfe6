import type { TsbpfError } from '@tsbpf/base'
import { fail } from './errors.ts'
import { limits } from './limits.ts'

/** What is left of the work that one call may do: types that fan out without end stop here. */
export interface Budget {
  steps: number
  /** The failure at which it was used up: all that follows fails with it, at once. */
  spent: TsbpfError | undefined
}

export function newBudget(): Budget {
  return { steps: limits.steps, spent: undefined }
}

/** Takes `steps` from the budget; throws `CORE_LIMIT` where it is used up. */
export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps
  if (budget.steps < 0) {
    throw fail('CORE_LIMIT', `the relocations of this call look at more than ${limits.steps} members`)
  }
}
