import { bundledFile } from '@tsbpf/testkit/bundled-file'
import { parseObject } from '../src/index.ts'
import type { ObjectSpec } from '../src/index.ts'

// Bundled, so that the same tests run in Node and in a browser.
const files = import.meta.glob<string>('./golden/*.o', { query: '?inline', import: 'default', eager: true })

/** Names of the golden objects. */
export const goldenNames: readonly string[] = Object.keys(files).map((path) => path.slice('./golden/'.length))

/** A copy of a golden object's bytes. */
export function golden(name: string): Uint8Array {
  const file = files[`./golden/${name}`]
  if (file === undefined) throw new RangeError(name)
  return bundledFile(file)
}

/** A golden object, parsed. */
export function goldenSpec(name: string): ObjectSpec {
  return parseObject(golden(name), { name })
}
