import { readFileSync } from 'node:fs'
import { btfBuilder, kfunc } from '@tsbpf/btf'
import type { Insn } from '@tsbpf/isa'
import {
  decodeInsn,
  encodeInsns,
  formatInsn,
  imm64Of,
  instructionSet,
  makeInsn,
  rowOf,
  slotsOf,
} from '@tsbpf/isa'
import { btfLoad, mapCreate, mapElements, progLoad, progTestRun } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { requires } from '@tsbpf/testkit'
import { mapFlags, mapTypes, progFlags, progTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { openKernelBtf } from '../../../src/kernel-btf.ts'
import { leavesNothing } from '../kernel-objects.ts'
import { casesOf, programOf } from './cases.ts'
import type { Resources, SingleProgram } from './single-programs.ts'
import { arenaStart, element, packet, refused, singlePrograms } from './single-programs.ts'

const gate = requires({ root: true, kernel: [6, 15], reason: 'loads and runs programs' })

/** Function info of a program whose second function begins at `callback`. */
function callbackBtf(sys: Sys, callback: number): { readonly fd: number; readonly info: Uint8Array } {
  const builder = btfBuilder()
  const int = builder.add({ kind: 'int', name: 'int', size: 4, signed: true })
  const proto = builder.add({ kind: 'func_proto', returnType: int, params: [] })
  const main = builder.add({ kind: 'func', name: 'main', type: proto, linkage: 'global' })
  const body = builder.add({ kind: 'func', name: 'body', type: proto, linkage: 'static' })
  return {
    fd: btfLoad(sys, { btf: builder.build() }).fd,
    info: new Uint8Array(Uint32Array.of(0, main, callback, body).buffer),
  }
}

interface Loaded {
  readonly fd: number
  readonly log: string
}

function load(
  sys: Sys,
  { type, insns, callback }: Pick<SingleProgram, 'type' | 'insns' | 'callback'>,
  mapFd: number,
  level: number,
): Loaded {
  const log_buf = new Uint8Array(1 << 18)
  const btf = callback === undefined ? undefined : callbackBtf(sys, callback)
  const { fd } = progLoad(sys, {
    prog_type: progTypes.value(type),
    prog_flags: type === 'syscall' ? progFlags.value('sleepable') : 0,
    insns: encodeInsns(insns, { littleEndian: true }),
    license: 'GPL',
    log_buf,
    log_level: level,
    fd_array: new Uint8Array(Int32Array.of(mapFd).buffer),
    ...(btf === undefined ? {} : { prog_btf_fd: btf.fd, func_info: btf.info, func_info_rec_size: 8 }),
  })
  if (btf !== undefined) sys.close(btf.fd)
  return { fd, log: new TextDecoder().decode(log_buf.subarray(0, log_buf.indexOf(0))) }
}

async function withResources(body: (sys: Sys, resources: Resources) => void): Promise<void> {
  await leavesNothing(() => {
    const sys = nativeSys()
    using kernel = openKernelBtf(sys)
    const mapFd = mapCreate(sys, {
      map_type: mapTypes.value('array'),
      key_size: 4,
      value_size: 8,
      max_entries: 1,
    })
    const arenaFd = mapCreate(sys, {
      map_type: mapTypes.value('arena'),
      max_entries: 2,
      map_flags: mapFlags.value('mmapable'),
      map_extra: arenaStart,
    })
    try {
      const elements = mapElements(sys, mapFd, { keySize: 4, valueSize: 8 })
      new Int32Array(elements.value.buffer, elements.value.byteOffset, 2).set(element)
      expect(elements.update()).toBe(0)
      body(sys, {
        mapFd,
        arenaFd,
        kfunc: (name) => kfunc(kernel.btf, name)?.func.id ?? 0,
      })
    } finally {
      sys.close(mapFd)
      sys.close(arenaFd)
    }
  })
}

/** The line of the log about the slot. */
const logged = (log: string, slot: number): string | undefined =>
  new RegExp(`^${slot}: (\\([0-9a-f]{2}\\) .*?)(?: +;.*)?$`, 'm').exec(log)?.[1]

/** The kernel has put addresses into some wide instructions before it prints them. */
const withoutAddress = (text: string): string => text.replace(/= 0x[0-9a-f]+$/, '= ADDRESS')

const slotOf = (insns: readonly Insn[], at: number): number =>
  insns.slice(0, at).reduce((slots, insn) => slots + slotsOf(insn), 0)

const names = singlePrograms({ mapFd: 0, arenaFd: 0, kfunc: () => 0 }).map(({ op }) => op)

describe.skipIf(gate.skip)(gate.title('instructions in programs of their own'), () => {
  it.each(names)('%s runs, and is logged as it is printed', async (name) => {
    await withResources((sys, resources) => {
      const program = singlePrograms(resources).find(({ op }) => op === name)!
      const { fd, log } = load(sys, program, resources.mapFd, 2)
      if (fd < 0) throw new Error(log)
      try {
        const data = program.type === 'sched_cls' ? { data_in: packet } : {}
        expect(progTestRun(sys, { prog_fd: fd, ...data }).retval).toBe(program.returns)
      } finally {
        sys.close(fd)
      }
      const insn = program.insns[program.at]!
      const id = program.op === 'call_kfunc' ? { kfuncName: () => 'bpf_iter_num_new' } : {}
      const ours = formatInsn(insn, 'verifier', id)
      const theirs = logged(log, slotOf(program.insns, program.at))
      if (insn.nextImm === undefined || imm64Of(insn) === 0x1122_3344_5566_7788n) expect(theirs).toBe(ours)
      else expect(withoutAddress(theirs ?? '')).toBe(withoutAddress(ours))
    })
  })

  it('are all rows that isa says the kernel logs', () => {
    const file = new URL('../../../../isa/test/golden/without-oracle.json', import.meta.url)
    const { verifier } = JSON.parse(readFileSync(file, 'utf8')) as { readonly verifier: object }
    expect(Object.keys(verifier)).toEqual(refused.map(({ insn }) => insn.op))
  })

  it.each(refused)('$insn.op is refused: $reason', async ({ insn, log }) => {
    await withResources((sys, { mapFd }) => {
      const insns = [makeInsn('mov64_imm', { dst: 1 }), insn, makeInsn('mov64_imm'), makeInsn('exit')]
      const loaded = load(sys, { type: 'syscall', insns }, mapFd, 1)
      if (loaded.fd >= 0) sys.close(loaded.fd)
      expect(loaded.fd).toBeLessThan(0)
      expect(loaded.log).toMatch(log)
    })
  })
})

/** Instructions that differ from `insn` in one field that its row fixes, and are no other instruction. */
function withReservedFields(insn: Insn): readonly Insn[] {
  const row = rowOf(insn.op as 'exit')
  return (['dst', 'src', 'off', 'imm'] as const).flatMap((field) => {
    if (row[field] === 'any') return []
    const other = { ...insn, op: 'raw' as const, [field]: row[field] + 9 }
    return decodeInsn(encodeInsns([other], { littleEndian: true }), 0, { littleEndian: true }).op === 'raw'
      ? [other]
      : []
  })
}

describe.skipIf(gate.skip)(gate.title('what decodes to no instruction'), () => {
  const small = instructionSet.flatMap((row) => {
    const [first] = casesOf(row)
    return first === undefined ? [] : [{ op: row.name, insns: programOf([first]), type: 'syscall' as const }]
  })

  it.each([...small.map(({ op }) => op), ...names])('%s with a reserved field is refused', async (name) => {
    await withResources((sys, resources) => {
      const program = [...small, ...singlePrograms(resources)].find(({ op }) => op === name)!
      const at = program.insns.findIndex(({ op }) => op === name)
      const whole = load(sys, program, resources.mapFd, 1)
      expect(whole.fd, whole.log).toBeGreaterThan(0)
      sys.close(whole.fd)
      for (const raw of withReservedFields(program.insns[at]!)) {
        const { fd } = load(sys, { ...program, insns: program.insns.with(at, raw) }, resources.mapFd, 0)
        if (fd >= 0) sys.close(fd)
        expect(fd, JSON.stringify(raw)).toBeLessThan(0)
      }
    })
  })
})
