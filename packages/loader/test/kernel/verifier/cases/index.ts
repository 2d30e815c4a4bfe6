import { accessCases } from './access.ts'
import { callCases } from './call.ts'
import type { VerifierCase } from './case.ts'
import { structureCases } from './structure.ts'

/** A case for each row of the table. */
export const cases: readonly VerifierCase[] = [...accessCases, ...callCases, ...structureCases]
