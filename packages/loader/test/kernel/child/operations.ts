// Tries what the process may do, and tells it.
import type { Given } from '../try-operations.ts'
import { tryOperations } from '../try-operations.ts'

const given = JSON.parse(process.argv[2] ?? '') as Given
process.stdout.write(`${JSON.stringify(tryOperations(given))}\n`)
