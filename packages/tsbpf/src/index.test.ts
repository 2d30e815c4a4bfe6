import { parseObject } from '@tsbpf/object'
import { describe, expect, it } from 'vitest'
import * as umbrella from './index.ts'

describe('the umbrella import', () => {
  it('hands on the functions of the packages themselves', () => {
    expect(umbrella.parseObject).toBe(parseObject)
  })

  it('has what the way from bytes to map contents needs', () => {
    const names =
      'isTsbpfError load loadSync missingPrivileges parseBtf parseElf parseObject preview relocate nativeSys'
    expect(Object.keys(umbrella)).toEqual(expect.arrayContaining(names.split(' ')))
  })
})
