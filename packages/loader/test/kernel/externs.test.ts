import { readFileSync } from 'node:fs'
import { requires } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../../src/index.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = requires({ root: true, kernel: [6, 2], reason: 'loads programs that call kfuncs' })

describe.skipIf(gate.skip)(gate.title('externs'), () => {
  it('are what the running kernel has', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('externs'))
      bpf.attach()
      readFileSync('/proc/self/stat')
      const told = Object.fromEntries(bpf.variables.map((variable) => [variable.name, variable.get()]))
      const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map(Number)
      expect(Number(told['version']) >> 8).toBe((major << 8) + minor)
      expect([100, 250, 300, 1000]).toContain(told['hz'])
      expect(told).toMatchObject({
        net: 1,
        bpf_syscall: true,
        cookies: true,
        missing_option: 0n,
        has_missing_variable: 0,
        has_missing_kfunc: 0,
        locked: 1,
      })
      const text = readFileSync('/proc/kallsyms', 'latin1')
        .split('\n')
        .find((line) => line.endsWith(' _stext'))
      expect(told['text_address']).toBe(BigInt(`0x${text?.slice(0, 16) ?? '0'}`))
    })
  })

  it('may be given', async () => {
    await leavesNothing(() => {
      using bpf = loadSync(objectSpec('externs'), { kconfig: 'CONFIG_HZ=123\nCONFIG_NO_SUCH_OPTION=0x10\n' })
      bpf.attach()
      readFileSync('/proc/self/stat')
      expect(bpf.variable('hz').get()).toBe(123)
      expect(bpf.variable('missing_option').get()).toBe(16n)
    })
  })

  it.each([
    ['CONFIG_HZ=y', /expected a number/],
    ['CONFIG_HZ=0x100000000', /a number of 32 bits, unsigned/],
    ['CONFIG_BPF_SYSCALL=m', /expected y or n/],
    ['CONFIG_NET=2', /expected y, n or m/],
    ['CONFIG_CC_VERSION_TEXT=gcc', /expected text in quotes/],
  ])('must fit their declaration: %s', (kconfig, message) => {
    expect(() => loadSync(objectSpec('externs'), { kconfig })).toThrow(
      expect.objectContaining({
        code: 'LOADER_KCONFIG_VALUE',
        message: expect.stringMatching(message) as string,
      }),
    )
  })

  it('that are not there are refused, unless they are weak', () => {
    const spec = objectSpec('externs')
    const strict = { ...spec, externs: spec.externs.map((extern) => ({ ...extern, weak: false })) }
    expect(() => loadSync(strict)).toThrow(
      expect.objectContaining({ code: 'LOADER_KCONFIG_MISSING', context: { name: 'CONFIG_NO_SUCH_OPTION' } }),
    )
    expect(() => loadSync(strict, { kconfig: 'CONFIG_NO_SUCH_OPTION=1' })).toThrow(
      expect.objectContaining({ code: 'LOADER_KSYM_MISSING' }),
    )
  })
})
