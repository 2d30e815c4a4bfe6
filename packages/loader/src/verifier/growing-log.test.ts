import { readFileSync } from 'node:fs'
import { parseObject } from '@tsbpf/object'
import { fakeSys } from '@tsbpf/sys'
import type { FakeSys } from '@tsbpf/sys'
import { errnos, progLoadAttr } from '@tsbpf/uapi'
import { describe, expect, it } from 'vitest'
import { loadSync } from '../index.ts'

const object = new URL('../../test/kernel/objects/tracer.bpf.o', import.meta.url)
const spec = parseObject(new Uint8Array(readFileSync(object)), { name: 'tracer.bpf.o' })
const files = {
  '/sys/devices/system/cpu/possible': '0-3\n',
  '/proc/self/status': 'CapEff:\t0000000000000000\n',
  '/proc/self/uid_map': '         0          0 4294967295\n',
}

/** A kernel before 6.4: it does not say how long its log is, and a buffer that is too small has the log's start. */
function oldKernel(logBytes: number, sizes: number[]): FakeSys {
  const walked = '0: (b7) r0 = 0\n'
  const end = '5: (95) exit\nR0 !read_ok\nprocessed 9 insns (limit 9)\n'
  const text = new TextEncoder().encode(walked.repeat(logBytes / walked.length) + end)
  return fakeSys({
    files,
    bpf: {
      btf_load: (call) => call.newFd('btf'),
      map_create: (call) => call.newFd('map'),
      map_update_elem: 0,
      map_freeze: 0,
      prog_load: (call) => {
        const log = call.buffer(progLoadAttr.offsets.log_buf)
        sizes.push(log?.length ?? 0)
        log?.set(text.subarray(0, log.length - 1))
        return -errnos.value(log !== undefined && text.length >= log.length ? 'ENOSPC' : 'EACCES')
      },
    },
  })
}

function load(sys: FakeSys): unknown {
  if (spec.btf === undefined) throw new Error('no BTF')
  return loadSync(spec, { sys, kernelBtf: spec.btf })
}

const first = 256 * 1024

describe('the log of a refused program', () => {
  it('is asked for after the refusal, in a buffer that grows until it fits', () => {
    const sizes: number[] = []
    expect(() => load(oldKernel(3_000_000, sizes))).toThrow(
      expect.objectContaining({ summary: 'R0 !read_ok', insn: 5, truncated: false }),
    )
    expect(sizes).toEqual([0, first, 8 * first, 64 * first])
  })

  it('is said to be cut where it is beyond all bounds, and its start names no instruction', () => {
    const sizes: number[] = []
    expect(() => load(oldKernel(60_000_000, sizes))).toThrow(
      expect.objectContaining({ summary: 'EACCES', insn: undefined, truncated: true }),
    )
    expect(sizes).toEqual([0, first, 8 * first, 64 * first])
  })
})
