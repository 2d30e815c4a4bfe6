import { fail } from './errors.ts'
import { limits } from './limits.ts'

/** What is left of the work that one call may do: types that fan out without end stop here. */
export interface Budget {
  steps: number
}

export function newBudget(): Budget {
  return { steps: limits.steps }
}

/** Takes `steps` from the budget; throws `CORE_LIMIT` where it is used up. */
export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps
  if (budget.steps < 0) {
    throw fail('CORE_LIMIT', `the relocations of this call look at more than ${limits.steps} members`)
  }
}
