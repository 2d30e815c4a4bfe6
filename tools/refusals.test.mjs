import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { privilegesPage, verifierPage } from './refusals.mjs'

const docs = (name) => readFileSync(join(import.meta.dirname, '..', 'docs', name), 'utf8')
const repair = 'run node tools/refusals.mjs'

it('docs/verifier-errors.md says what the table of messages says', async () => {
  expect(docs('verifier-errors.md'), repair).toBe(await verifierPage())
})

it('docs/privileges.md says what the table of privileges says', async () => {
  expect(docs('privileges.md'), repair).toBe(await privilegesPage())
})
