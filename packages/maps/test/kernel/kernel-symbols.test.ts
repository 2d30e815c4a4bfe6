import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Fd } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { repeatable, requires } from '@tsbpf/testkit'
import { firstLine, startChild } from '@tsbpf/testkit/child'
import { describe, expect, it } from 'vitest'
import { kernelSymbols } from '../../src/index.ts'
import type { KernelSymbols } from '../../src/index.ts'
import { kernelNames } from '../support/kernel-names.ts'
import { loadProgram, returnZero } from '../support/programs.ts'

const gate = requires({ root: true, kernel: [5, 13], reason: '/proc/kallsyms with addresses' })

describe.skipIf(gate.skip)(gate.title('kernel symbols'), () => {
  const sys = gate.skip ? undefined! : nativeSys()

  const kallsyms = (): string => readFileSync('/proc/kallsyms', 'latin1')
  /** Read once: in an emulator the kernel takes ten seconds to print them. */
  let read: KernelSymbols | undefined
  const symbolsOf = (): KernelSymbols => (read ??= kernelSymbols(sys, { maxAge: 3_600_000 }))

  it("are what the kernel's own %pS says", () => {
    const symbols = symbolsOf()
    const lines = kallsyms().match(/^\w+ [tT] .*$/gm) ?? []
    const next = repeatable(6)
    const addresses = Array.from({ length: 400 }, (_, i) => {
      // The last lines are those of modules and BPF.
      const line = lines[i < 20 ? lines.length - 1 - i : next(lines.length)] ?? ''
      // Where BPF code starts, the kernel still counts the code before it, which may end with a call.
      const inside = i % 3 === 0 && !line.endsWith('[bpf]') ? 0 : 1 + next(39)
      return BigInt(`0x${line.slice(0, 16)}`) + BigInt(inside)
    })
    const names = kernelNames(sys, addresses)
    // The kernel names no marks such as _etext, where no code is, and it knows how long a symbol is.
    const named = addresses.filter((_, i) => names[i]?.includes('+0x') === true)
    expect(named.length).toBeGreaterThan(addresses.length * 0.97)
    const ours = named.map((address) => {
      const found = symbols.find(address)
      const module = found?.module === undefined || found.module === 'bpf' ? '' : ` [${found.module}]`
      return found === undefined ? 'none' : `${found.name}+0x${found.offset.toString(16)}${module}`
    })
    const theirs = names.filter((name) => name.includes('+0x'))
    expect(ours).toEqual(theirs.map((name) => name.replace(/\/0x\w+/, '')))
  })

  it('see a BPF program that was loaded since, and not one that is gone', () => {
    if (readFileSync('/proc/sys/net/core/bpf_jit_kallsyms', 'latin1').trim() === '0') return
    const symbols = kernelSymbols(sys, { maxAge: 0 })
    const slow = symbolsOf()
    let address: bigint
    let name: string
    {
      using program = new Fd(sys, loadProgram(sys, 'xdp', returnZero, { prog_name: 'seen_later' }), 'program')
      expect(program.value).toBeGreaterThan(0)
      const text = kallsyms()
      const line = /^(\w+) t (bpf_prog_\w+_seen_later)/m.exec(text)
      address = BigInt(`0x${line?.[1] ?? '0'}`)
      name = line?.[2] ?? ''
      expect(symbols.find(address + 2n)).toEqual({ name, offset: 2, module: 'bpf' })
      expect(slow.find(address)?.name).not.toBe(name)
      slow.refresh()
      expect(slow.find(address)?.name).toBe(name)
    }
    for (let i = 0; i < 20 && symbols.find(address)?.name === name; i++) {
      execFileSync('sleep', ['0.1'])
    }
    expect(symbols.find(address)?.name).not.toBe(name)
  })

  it('take little memory: some 30 bytes for each', () => {
    const { count, byteLength } = symbolsOf()
    expect(count).toBeGreaterThan(50_000)
    expect(byteLength / count).toBeLessThan(40)
  })

  it('are refused by name to a user from whom the kernel hides them', async () => {
    const within = ['setpriv', '--reuid=65534', '--clear-groups', '--bounding-set=-all', '--inh-caps=-all']
    const child = startChild(new URL('./child/hidden-symbols.ts', import.meta.url), { within })
    expect(await firstLine(child)).toMatchObject({
      code: 'SYMBOLS_HIDDEN',
      hint: expect.stringContaining('CAP_SYSLOG') as string,
    })
  })
})
