import { readFileSync } from 'node:fs'
import * as uapi from '../../src/index.ts'
import { helpers } from '../../src/helpers.ts'
import { describe, expect, it } from 'vitest'
import { layouts, tables, type AnyTable } from '../exports.ts'

/**
 * What gcc and bpftool say, recorded by tools/uapi/record-golden.mjs: numbers and layouts by the headers of 6.12 and
 * of libc, names by bpftool 7.5. What is newer than those headers is listed as absent in the recording.
 */
function golden(name: string): readonly string[] {
  return readFileSync(new URL(name, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('#'))
}

const absentOf = (lines: readonly string[]) =>
  new Set(lines.filter((line) => line.startsWith('absent ')).map((line) => line.slice('absent '.length)))

const numbers = new Map(
  golden('constants.txt').map((line) => [line.split(' ')[0], line.split(' ')[1]] as const),
)
const absent = absentOf(golden('constants.txt'))

describe('constants, as a C compiler sees them', () => {
  it.each(tables)('%s', (_, table) => {
    const own = table.rows.filter((row) => row.from === undefined && !absent.has(row.kernel))
    expect(own.map((row) => `${row.kernel} ${row.value}`)).toEqual(
      own.map((row) => `${row.kernel} ${numbers.get(row.kernel)}`),
    )
  })

  it('linux', () => {
    const entries = Object.entries<number>(uapi.linux).filter(([name]) => !absent.has(name))
    // C prints TC_H_ROOT and the like as unsigned, and so are they here; only three constants are negative.
    expect(entries.map(([name, value]) => `${name} ${value}`)).toEqual(
      entries.map(([name]) => `${name} ${numbers.get(name)}`),
    )
    expect(entries.filter(([, value]) => value < 0).map(([name]) => name)).toEqual([
      'BPF_F_CURRENT_NETNS',
      'AT_FDCWD',
      'TC_ACT_UNSPEC',
    ])
  })

  it('are absent only where they are newer than 6.12, or not for user space', () => {
    expect([...absent]).toEqual([
      'BPF_TRACE_UPROBE_SESSION',
      'BPF_PROG_STREAM_READ_BY_FD',
      'BPF_STDOUT',
      'BPF_STDERR',
      'ENOTSUPP',
    ])
  })
})

describe('layouts, as a C compiler sees them', () => {
  const lines = golden('layouts.txt')
  const missing = absentOf(lines)
  const recorded = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  )
  const older = layouts.filter(([name]) => name !== 'attrs.prog_assoc_struct_ops')

  it.each(older)('%s', (name, layout) => {
    for (const [field, type] of Object.entries(layout.fields)) {
      const path = `${name}.${field}`
      if (missing.has(path) || path === 'perfEventAttr.flags' || path === 'progInfo.gpl_compatible') continue
      const at = layout.offsets[field]
      expect(`${path} ${at} ${type.size}`).toBe(`${path} ${recorded.get(path)}`)
    }
  })

  it('the bits of perf_event_attr', () => {
    for (const [name, { shift, bits }] of Object.entries(uapi.perfEventAttrFlags)) {
      expect(`${name} ${shift} ${bits}`).toBe(`${name} ${recorded.get(`perfEventAttrFlags.${name}`)}`)
    }
    // In the 64-bit word at byte 80 of bpf_prog_info it is bit 32: byte 84.
    expect(recorded.get('gpl_compatible')).toBe('32 1')
    expect(uapi.progInfo.offsets.gpl_compatible).toBe(84)
  })

  it('sizes, where nothing was added after 6.12', () => {
    for (const [line] of recorded) {
      const [, size] = (recorded.get(line) ?? '').split(' ')
      const layout = layouts.find(([name]) => name === line)?.[1]
      if (!(recorded.get(line) ?? '').startsWith('size') || layout === undefined) continue
      // A union member's size is a lower bound: fields may be added behind it.
      expect(layout.size, line).toBeGreaterThanOrEqual(Number(size))
      const grown = [...missing].some((path) => path.startsWith(`${line}.`))
      if (!grown) expect(layout.size, line).toBe(Number(size))
    }
  })

  it('what is absent stands behind or beside what 6.12 has, never in its place', () => {
    expect([...missing].filter((path) => !path.endsWith(' size'))).toEqual([
      ...['attrs.map_create.excl_prog_hash', 'attrs.map_create.excl_prog_hash_size'],
      ...['fd_array_cnt', 'signature', 'signature_size', 'keyring_id'].map((name) => `attrs.prog_load.${name}`),
      'attrs.obj_id.fd_by_id_token_fd',
      ...['stream_buf', 'stream_buf_len', 'stream_id', 'prog_fd'].map((name) => `attrs.prog_stream_read.${name}`),
      ...['mapInfo.hash', 'mapInfo.hash_size'],
      ...['raw_tracepoint.cookie', 'tracing.cookie', 'perf_event.uprobe.ref_ctr_offset'].map(
        (name) => `linkInfoArms.${name}`,
      ),
    ])
  })
})

describe('names, as bpftool spells them', () => {
  const groups = new Map(golden('builtins.txt').map((line) => line.split(': ', 2) as [string, string]))
  const spelled: readonly (readonly [string, AnyTable])[] = [
    ['map_types', uapi.mapTypes],
    ['prog_types', uapi.progTypes],
    ['attach_types', uapi.attachTypes],
    ['link_types', uapi.linkTypes],
    ['helpers', helpers],
  ]

  it.each(spelled)('%s', (group, table) => {
    const names = groups.get(group)?.split(' ') ?? []
    expect(names.length).toBeGreaterThan(10)
    const prefix = group === 'helpers' ? 'bpf_' : ''
    expect(names).toEqual(names.map((_, number) => prefix + table.format(number)))
  })
})
