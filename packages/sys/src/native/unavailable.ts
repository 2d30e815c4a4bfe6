import { unsupportedPlatform } from '../errors.ts'
import type { Sys } from '../sys.ts'

export { calls } from './calls.ts'
export type { NativeCall, ParameterType } from './calls.ts'
export type { NativeSysOptions } from './index.ts'

/** What bundles for browsers get: no runtime but Node, Bun and Deno can load the addon. Always throws. */
export function nativeSys(): Sys {
  throw unsupportedPlatform('browser', 'javascript')
}
