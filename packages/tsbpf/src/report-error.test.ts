import { TsbpfError } from '@tsbpf/base'
import { describe, expect, it } from 'vitest'
import { testIo } from '../test/support/test-io.ts'
import { reportError } from './report-error.ts'

class Refused extends TsbpfError {
  readonly log: string
  constructor(log: string) {
    super('LOADER_REJECTED', 'refused', { hint: 'look', context: {} })
    this.log = log
  }
}

const lines = Array.from({ length: 100 }, (_, i) => `${i}: \u001b[31m`)

describe('reportError', () => {
  it("shows the end of the verifier's log", () => {
    const io = testIo()
    reportError(io, new Refused(`${lines.join('\n')}\n`))
    expect(io.err()).toMatch(
      /^error\[LOADER_REJECTED\]: refused\nhint: look\nend of the log \(.*\):\n {2}80: .*\n/,
    )
    expect(io.err()).toMatch(/ {2}99: \\x1b\[31m\n$/)
    expect(io.err()).not.toContain('79:')
  })

  it('shows all of a short one, and all of it for debugging', () => {
    const short = testIo()
    reportError(short, new Refused('R0 !read_ok\n'))
    expect(short.err()).toContain('hint: look\nlog:\n  R0 !read_ok\n')
    const debugging = testIo({ env: { TSBPF_DEBUG: '1' } })
    reportError(debugging, new Refused(lines.join('\n')))
    expect(debugging.err()).toContain('log:\n  0: ')
  })
})
