import { expect } from 'vitest'
import { createMap } from '../../src/index.ts'
import { describeFamily, families } from '../support/families.ts'
import { shape } from '../support/shapes.ts'

describeFamily('newest', ({ sys, type }) => {
  for (const name of families.newest) {
    type(name, () => {
      // Newer than the kernels there are: where one has it, this test must be written.
      expect(() => createMap(sys, shape(name))).toThrow(expect.objectContaining({ code: 'MAP_CREATE' }))
    })
  }
})
