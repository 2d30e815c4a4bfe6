import type * as library from '../../../src/index.ts'

export function splitOf(btf: Pick<typeof library, 'encodeBtf'>, base: library.Btf): Uint8Array
