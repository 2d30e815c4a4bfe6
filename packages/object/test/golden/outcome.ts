import { isTsbpfError } from '@tsbpf/base'
import { expect } from 'vitest'
import { parseObject } from '../../src/index.ts'
import type { ObjectSpec } from '../../src/index.ts'
import { refusals } from './refusals.ts'

/** `opened`, or the code of the error. */
function outcomeOf(bytes: Uint8Array, name: string): { outcome: string; spec: ObjectSpec | undefined } {
  try {
    return { outcome: 'opened', spec: parseObject(bytes, { name }) }
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return { outcome: error.code, spec: undefined }
  }
}

/** Checks that an object that libbpf refuses comes out as a row of {@link refusals} says; returns that row's number. */
export function expectRefusal(bytes: Uint8Array, name: string, reason: string): number {
  const { outcome } = outcomeOf(bytes, name)
  const row = refusals.findIndex(
    ({ libbpf, ours }) => libbpf.test(reason) && (ours === outcome || ours.includes(outcome)),
  )
  expect(row, `${name}: libbpf says: ${reason}; we: ${outcome}`).toBeGreaterThanOrEqual(0)
  return row
}
