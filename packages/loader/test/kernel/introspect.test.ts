import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  attachCgroup,
  attachNetns,
  attachRawTracepoint,
  attachTcx,
  attachXdp,
  cgroup2Mount,
} from '@tsbpf/link'
import { Fd, progLoad, progTestRun } from '@tsbpf/sys'
import type { ProgLoadFields, Sys } from '@tsbpf/sys'
import { nativeSys } from '@tsbpf/sys/native'
import { attachTypes, progTypes } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import {
  attachedAt,
  kernelBtf,
  kernelBtfs,
  kernelLink,
  kernelLinks,
  kernelMap,
  kernelMaps,
  kernelProgram,
  kernelPrograms,
  loadSync,
  programCode,
  programInfo,
  runStatistics,
  taskFdQuery,
} from '../../src/index.ts'
import { bpftool, bpftoolGate } from './bpftool.ts'
import type { Json } from './bpftool.ts'
import { leavesNothing } from './kernel-objects.ts'
import { objectSpec } from './objects.ts'

const gate = bpftoolGate
const byId = <T extends { readonly id?: unknown }>(rows: readonly T[], id: unknown): T => {
  const row = rows.find((one) => one.id === id)
  if (row === undefined) throw new Error(`no id ${id}`)
  return row
}

/** `r0 = value; exit`. */
function program(sys: Sys, fields: Omit<ProgLoadFields, 'insns' | 'license'>, value: number): Fd {
  const insns = Uint8Array.of(
    0xb7,
    0,
    0,
    0,
    value & 255,
    value >> 8,
    value >> 16,
    value >> 24,
    0x95,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  )
  const { fd } = progLoad(sys, { insns, license: 'GPL', ...fields })
  return new Fd(sys, fd, 'program')
}

describe.skipIf(gate.skip)(gate.title('introspection'), () => {
  const sys = gate.skip ? undefined! : nativeSys()

  it('tells of programs, maps and BTF what bpftool tells', async () => {
    await leavesNothing(() => {
      using object = loadSync(objectSpec('tracer'), { sys })
      const loaded = [...kernelPrograms(sys)].filter(({ id }) =>
        object.programs.some((one) => one.info().id === id),
      )
      expect(loaded.length).toBeGreaterThan(0)
      const programs = bpftool('prog', 'show')
      for (const info of loaded) {
        expect(kernelProgram(sys, info.id)).toEqual(info)
        const theirs = byId(programs, info.id)
        expect(theirs).toMatchObject({
          type: info.type,
          name: info.name,
          tag: info.tag,
          gpl_compatible: info.gplCompatible,
          uid: info.uid,
          bytes_xlated: info.bytesXlated,
          bytes_jited: info.bytesJited,
          map_ids: info.mapIds,
          btf_id: info.btfId,
        })
        expect(kernelBtf(sys, info.btfId)).toMatchObject({ id: info.btfId, name: '', kernel: false })
        for (const id of info.mapIds) {
          const map = kernelMap(sys, id)
          expect([...kernelMaps(sys)].find((one) => one.id === id)).toEqual(map)
          // One by one: in a list, bpftool shows the BTF of the map before for a map that has none (Linux 6.18).
          expect(bpftool('map', 'show', 'id', String(id))).toMatchObject({
            type: map?.type,
            name: map?.name,
            flags: map?.flags,
            bytes_key: map?.keySize,
            bytes_value: map?.valueSize,
            max_entries: map?.maxEntries,
            ...(map?.btfId === 0 ? {} : { btf_id: map?.btfId }),
          })
        }
      }
      const btfs = bpftool('btf', 'show')
      expect([...kernelBtfs(sys)].filter(({ kernel }) => kernel)).toEqual(
        btfs
          .filter(({ kernel }) => kernel === true)
          .map(({ id, size, name }) => ({ id, size, name, kernel: true })),
      )
      expect(kernelProgram(sys, 0x7fff_fff0)).toBeUndefined()
    })
  })

  it('gives the instructions that bpftool dumps', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-dump-'))
    try {
      await leavesNothing(() => {
        using object = loadSync(objectSpec('tracer'), { sys })
        const symbols = readFileSync('/proc/kallsyms', 'latin1')
        for (const one of object.programs) {
          const code = programCode(sys, one.fd)
          const { id, bytesXlated, bytesJited } = programInfo(sys, one.fd)
          const file = join(folder, 'xlated')
          bpftool('prog', 'dump', 'xlated', 'id', String(id), 'file', file)
          expect(Buffer.from(code.xlated).equals(readFileSync(file))).toBe(true)
          // No bpftool here has a disassembler, without which it dumps no native code: where it is tells kallsyms.
          for (const { address, tag } of code.functions) {
            // The program's first function has a tag of its own there.
            const shown = address === code.functions[0]?.address ? one.info().tag : tag
            expect(symbols).toContain(`${address.toString(16)} t bpf_prog_${shown}`)
          }
          expect(code.jited.some((byte) => byte !== 0)).toBe(true)
          expect([code.xlated.length, code.jited.length]).toEqual([bytesXlated, bytesJited])
          expect(code.functions.reduce((sum, fn) => sum + fn.bytesJited, 0)).toBe(bytesJited)
          expect(code.functions.every(({ address, typeId }) => address > 0n && typeId > 0)).toBe(true)
          const lines = bpftool('prog', 'dump', 'xlated', 'id', String(id), 'linum')
          expect(code.lines.length).toBeGreaterThan(0)
          expect(code.lineAddresses.length).toBe(code.lines.length)
          const numbers = JSON.stringify(lines).match(/"line_num":\d+,"line_col":\d+/g) ?? []
          const ours = code.lines.map(({ line, column }) => `"line_num":${line},"line_col":${column}`)
          expect(numbers.filter((place) => !ours.includes(place))).toEqual([])
        }
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('tells of links, and of what is attached where, what bpftool tells', async () => {
    const folder = join(cgroup2Mount(sys) ?? '', `tsbpf-introspect-${process.pid}`)
    mkdirSync(join(folder, 'below'), { recursive: true })
    try {
      await leavesNothing(() => {
        using tcx = program(
          sys,
          {
            prog_type: progTypes.value('sched_cls'),
            expected_attach_type: attachTypes.value('tcx_ingress'),
            prog_name: 'see_tcx',
          },
          -1,
        )
        using xdp = program(
          sys,
          {
            prog_type: progTypes.value('xdp'),
            expected_attach_type: attachTypes.value('xdp'),
            prog_name: 'see_xdp',
          },
          2,
        )
        using skb = program(
          sys,
          {
            prog_type: progTypes.value('cgroup_skb'),
            expected_attach_type: attachTypes.value('cgroup_inet_egress'),
            prog_name: 'see_cgroup',
          },
          1,
        )
        using lookup = program(
          sys,
          { prog_type: progTypes.value('sk_lookup'), expected_attach_type: attachTypes.value('sk_lookup') },
          1,
        )
        using raw = program(sys, { prog_type: progTypes.value('raw_tracepoint') }, 0)
        const named = (fd: Fd) => ({ fd: fd.value, name: 'seen' })
        using tcxLink = attachTcx(sys, named(tcx), 'tcx_ingress', 'lo')
        using xdpLink = attachXdp(sys, named(xdp), 'lo', { mode: 'skb' })
        using cgroupLink = attachCgroup(sys, named(skb), 'cgroup_inet_egress', folder)
        using netnsLink = attachNetns(sys, named(lookup), 'sk_lookup')
        using rawLink = attachRawTracepoint(sys, named(raw), 'sched_process_exec')
        const ids = [tcxLink, xdpLink, cgroupLink, netnsLink, rawLink].map((link) => link.info().id ?? 0)
        const theirs = bpftool('link', 'show')
        for (const id of ids) {
          const ours = kernelLink(sys, id)!
          expect([...kernelLinks(sys)].find((one) => one.id === id)).toEqual(ours)
          const row = byId(theirs, id)
          expect(row).toMatchObject({ type: ours.type, prog_id: ours.progId })
          for (const [name, value] of ours.details) {
            if (name in row && name !== 'cookie')
              expect([name, String(row[name])]).toEqual([name, String(value)])
          }
        }
        expect(kernelLink(sys, ids[4] ?? 0)?.details.get('tp_name')).toBe('sched_process_exec')
        expect(kernelLink(sys, ids[0] ?? 0)?.details).toEqual(
          new Map<string, unknown>([
            ['ifindex', 1],
            ['attach_type', 'tcx_ingress'],
          ]),
        )
        const idOf = (fd: Fd): number => programInfo(sys, fd.value).id

        const [net] = bpftool('net', 'show')
        const lo = (rows: unknown): readonly Json[] =>
          (rows as readonly Json[]).filter(({ ifindex }) => ifindex === 1)
        const device = attachedAt(sys, { ifindex: 1 })
        expect(device).toEqual([
          { attachType: 'xdp', progId: idOf(xdp), linkId: 0, attachFlags: 0, mode: 'skb' },
          { attachType: 'tcx_ingress', progId: idOf(tcx), linkId: ids[0], attachFlags: 0, mode: undefined },
        ])
        expect(lo(net?.['tc']).map((row) => [row['prog_id'], row['link_id']])).toEqual([[idOf(tcx), ids[0]]])
        expect(JSON.stringify(lo(net?.['xdp']))).toContain(`"id":${idOf(xdp)}`)

        const found = attachedAt(sys, { cgroup: folder })
        expect(found.map(({ progId, attachType }) => ({ id: progId, attach_type: attachType }))).toEqual(
          bpftool('cgroup', 'show', folder).map(({ id, attach_type }) => ({ id, attach_type })),
        )
        expect(found).toMatchObject([{ attachType: 'cgroup_inet_egress', progId: idOf(skb) }])
        const below = join(folder, 'below')
        expect(attachedAt(sys, { cgroup: below })).toEqual([])
        const effective = attachedAt(sys, { cgroup: below, effective: true })
        expect(effective.map(({ progId }) => progId)).toContain(idOf(skb))
        expect(effective.map(({ progId, attachType }) => ({ id: progId, attach_type: attachType }))).toEqual(
          bpftool('cgroup', 'show', below, 'effective').map(({ id, attach_type }) => ({ id, attach_type })),
        )
        const netns = attachedAt(sys, { netns: '/proc/self/ns/net' })
        expect(netns.map(({ attachType, progId }) => [attachType, progId])).toContainEqual([
          'sk_lookup',
          idOf(lookup),
        ])
      })
    } finally {
      rmdirSync(join(folder, 'below'))
      rmdirSync(folder)
    }
  })

  it('counts runs while statistics are on, and not after', async () => {
    await leavesNothing(() => {
      using one = program(sys, { prog_type: progTypes.value('xdp') }, 2)
      const run = (): void =>
        void progTestRun(sys, { prog_fd: one.value, data_in: new Uint8Array(64), repeat: 100 })
      const total = (): bigint => programInfo(sys, one.value).runCnt
      run()
      expect(total()).toBe(0n)
      {
        using statistics = runStatistics(sys)
        expect(statistics).toBeDefined()
        run()
        expect(total()).toBe(100n)
        expect(programInfo(sys, one.value).runTimeNs).toBeGreaterThan(0n)
      }
      run()
      expect(total()).toBe(100n)
    })
  })

  it('tells what a descriptor of a process has attached', async () => {
    await leavesNothing(() => {
      using raw = program(sys, { prog_type: progTypes.value('raw_tracepoint') }, 0)
      using link = attachRawTracepoint(sys, { fd: raw.value, name: 'seen' }, 'sched_process_exec')
      const progId = programInfo(sys, raw.value).id
      const found = Array.from({ length: 200 }, (_, fd) => {
        try {
          return taskFdQuery(sys, process.pid, fd)
        } catch {
          return undefined
        }
      }).filter((info) => info?.progId === progId)
      expect(link.kind).toBe('raw_tracepoint')
      expect(found).toEqual([
        { progId, type: 'raw_tracepoint', name: 'sched_process_exec', probeOffset: 0n, probeAddress: 0n },
      ])
    })
  })
})
