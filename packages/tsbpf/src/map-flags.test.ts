import { describe, expect, it } from 'vitest'
import { mapFlagNames } from './map-flags.ts'

describe('mapFlagNames', () => {
  it('names flags as the kernel does', () => {
    expect(mapFlagNames(0)).toEqual([])
    expect(mapFlagNames(0x401)).toEqual(['no_prealloc', 'mmapable'])
  })

  it('keeps a flag that is not known, also the highest', () => {
    expect(mapFlagNames(0x8000_0001)).toEqual(['no_prealloc', 'map_flag(2147483648)'])
  })
})
