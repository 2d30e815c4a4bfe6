import { TsbpfError } from '@tsbpf/base'
import { parseBtf } from '@tsbpf/btf'
import { parseObject } from '@tsbpf/object'
import { expect, it } from 'vitest'
import { golden } from '../test/goldens.ts'
import type { CheckSource, TargetCheck } from './index.ts'
import { checkTargets } from './index.ts'

const spec = parseObject(golden('local.bpf.o'))
const source = (name: string): CheckSource => ({
  name,
  open: () => [{ name: 'vmlinux', btf: parseBtf(golden(`${name}.btf`)) }],
})
const own: CheckSource = { name: 'own', open: () => [{ name: 'own', btf: spec.btf! }] }

async function check(sources: readonly CheckSource[]): Promise<TargetCheck[]> {
  const checks: TargetCheck[] = []
  for await (const one of checkTargets(spec, sources)) checks.push(one)
  return checks
}

it('says for each target what breaks where, and goes on after one that cannot be opened', async () => {
  const damaged: CheckSource = {
    name: 'damaged',
    open: () => [{ name: 'x', btf: parseBtf(new Uint8Array(40)) }],
  }
  const [flavours, broken, moved] = await check([source('target-flavours'), damaged, source('target-moved')])
  expect(broken).toMatchObject({ name: 'damaged', status: 'failed', resolved: 0, failed: 0, problems: [] })
  expect(broken?.error?.code).toBe('BTF_NOT_BTF')
  for (const one of [flavours, moved]) {
    expect(one?.error).toBeUndefined()
    expect(one?.problems.length).toBe((one?.poisoned ?? 0) + (one?.failed ?? 0))
  }
  expect(moved?.status).toBe('failed')
  const failed = moved?.problems.find(({ result }) => result.status === 'failed')
  expect(failed?.result.line?.file).toMatch(/local\.bpf\.c$/)
  expect(failed?.result.error?.message).toContain(failed?.reason)
  const poisoned = moved?.problems.find(({ result }) => result.status === 'poisoned')
  expect(poisoned?.reason).toMatch(/has no member|no such type|is not compatible|its size differs/)
})

it('opens a target only when its report is asked for', async () => {
  const opened: string[] = []
  const watch = (name: string): CheckSource => ({
    name,
    open: () => {
      opened.push(name)
      return own.open()
    },
  })
  const checks = checkTargets(spec, [watch('a'), watch('b')])
  expect(opened).toEqual([])
  expect((await checks.next()).value).toMatchObject({ name: 'a' })
  expect(opened).toEqual(['a'])
  await checks.return()
  expect(opened).toEqual(['a'])
})

it('throws what is wrong with the object, or with the program that asks', async () => {
  const without = checkTargets({ ...spec, btf: undefined }, [own])
  await expect(without.next()).rejects.toMatchObject({ code: 'CORE_NO_BTF' })
  const wrong: CheckSource = {
    name: 'wrong',
    open: () => {
      throw new TypeError('a defect')
    },
  }
  await expect(check([wrong])).rejects.toThrow(TypeError)
  const late: CheckSource = { name: 'late', open: () => Promise.reject(new TsbpfError('X_Y', 'gone')) }
  expect((await check([late]))[0]?.error?.code).toBe('X_Y')
})
