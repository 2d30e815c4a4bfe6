import { fakeSys, failure } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { descriptors, expectNoLeak } from '@tsbpf/testkit'
import { mapTypes, progTypes } from '@tsbpf/uapi'
import { helpers } from '@tsbpf/uapi/helpers'
import { describe, expect, it } from 'vitest'
import {
  instructionLevels,
  probedLinkTypes,
  probeHelper,
  probeInstructions,
  probeLinkType,
  probeMapType,
  probeProgramType,
} from '../../src/index.ts'
import { bpftool, bpftoolGate } from './bpftool.ts'

const gate = bpftoolGate
type Answers = Readonly<Record<string, boolean>>

describe.skipIf(gate.skip)(gate.title('feature probes'), () => {
  const sys = gate.skip ? undefined! : nativeSys()
  const probed = (): Readonly<Record<string, Answers & Readonly<Record<string, readonly string[]>>>> =>
    bpftool('feature', 'probe', 'kernel') as never

  it('answer what bpftool answers, and leave nothing', () => {
    const before = descriptors()
    const theirs = probed()
    const programs = Object.entries(theirs['program_types'] ?? {}).map(([key, has]) => {
      const type = progTypes.byName(key.replace(/^have_(.*)_prog_type$/, '$1'))!.name
      return [type, has, probeProgramType(sys, type).supported] as const
    })
    expect(programs.length).toBeGreaterThan(30)
    expect(programs.filter(([, has, ours]) => has !== ours)).toEqual([])
    const maps = Object.entries(theirs['map_types'] ?? {}).map(([key, has]) => {
      const type = mapTypes.byName(key.replace(/^have_(.*)_map_type$/, '$1'))!.name
      return [type, has, probeMapType(sys, type).supported] as const
    })
    expect(maps.length).toBeGreaterThan(30)
    expect(maps.filter(([, has, ours]) => has !== ours)).toEqual([])
    for (const type of ['xdp', 'kprobe'] as const) {
      const listed = new Set(theirs['helpers']?.[`${type}_available_helpers`])
      expect(listed.size).toBeGreaterThan(50)
      // bpftool leaves out what writes to the kernel's log or to user memory.
      const names = helpers.rows.filter(({ name }) => !/^(trace_|probe_write_user|unspec)/.test(name))
      const ours = names.filter(({ name }) => probeHelper(sys, type, name).supported)
      expect(ours.map(({ name }) => `bpf_${name}`).toSorted()).toEqual([...listed].toSorted())
    }
    const misc = theirs['misc'] ?? {}
    const levels = {
      v2: 'v2_isa_extension',
      v3: 'v3_isa_extension',
      bounded_loops: 'bounded_loops',
      large_programs: 'large_insn_limit',
    }
    for (const [level, key] of Object.entries(levels)) {
      expect(probeInstructions(sys, level as 'v2').supported).toBe(misc[`have_${key}`])
    }
    expectNoLeak(before, descriptors())
  })

  it('give evidence, and the same answer again', () => {
    const links = probedLinkTypes.map((type) => [type, probeLinkType(sys, type)] as const)
    expect(links.filter(([, { supported }]) => supported).map(([type]) => type)).toEqual(
      expect.arrayContaining(['perf_event', 'cgroup', 'netns', 'xdp', 'tcx', 'netfilter', 'raw_tracepoint']),
    )
    for (const [type, evidence] of links) {
      expect(evidence.tried).toContain('link a program')
      expect(probeLinkType(sys, type)).toBe(evidence)
    }
    const missing = probeHelper(sys, 'xdp', 'sys_bpf')
    expect(missing.supported).toBe(false)
    expect(missing.answer).toMatch(/^EINVAL: .*sys_bpf/)
    for (const level of instructionLevels.filter((name) => name !== 'load_acquire' && name !== 'may_goto')) {
      expect([level, probeInstructions(sys, level).supported]).toEqual([level, true])
    }
    expect(() => probeHelper(sys, 'lsm', 'loop')).toThrow(RangeError)
  })

  it('do not take a lack of privilege for a lack of the kernel', () => {
    const EPERM = failure('EPERM')
    const files = {
      '/proc/self/status': 'CapEff:\t0000000000000000\n',
      '/proc/self/uid_map': '0 0 4294967295\n',
    }
    const denied = fakeSys({ bpf: { prog_load: EPERM, map_create: EPERM }, files })
    for (const ask of [
      () => probeProgramType(denied, 'xdp'),
      () => probeMapType(denied, 'hash'),
      () => probeLinkType(denied, 'tcx'),
      () => probeInstructions(denied, 'v1'),
    ]) {
      expect(ask).toThrow(expect.objectContaining({ code: 'LOADER_PROBE_DENIED' }) as Error)
    }
    expect(denied.open.size).toBe(0)
    const old = fakeSys()
    expect(probeMapType(old, 'arena')).toMatchObject({ supported: false, answer: 'EINVAL' })
    expect(probeProgramType(old, 'netfilter')).toMatchObject({ supported: false, answer: 'EINVAL' })
  })
})
