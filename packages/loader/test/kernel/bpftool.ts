import { execFileSync } from 'node:child_process'
import { requires } from '@tsbpf/testkit'

const oracles = process.env['TSBPF_ORACLES'] ?? ''

/** For tests that ask bpftool what it says of the same kernel. */
export const bpftoolGate = requires({
  root: true,
  kernel: [6, 6],
  missing: oracles === '',
  reason: 'bpftool 7.5 (TSBPF_ORACLES)',
})

export type Json = Readonly<Record<string, unknown>>

/** What bpftool 7.5 prints as JSON: an object or a list of them. */
export function bpftool(...args: readonly string[]): Json & readonly Json[] {
  // Without what a checked build preloads: there bpftool takes forever to read /proc/kallsyms.
  const options = { encoding: 'utf8', env: { PATH: process.env['PATH'] }, maxBuffer: 2 ** 24 } as const
  return JSON.parse(execFileSync(`${oracles}/bin/bpftool`, ['-j', ...args], options)) as never
}
