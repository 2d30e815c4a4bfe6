import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as uapi from './index.ts'
import { helpers } from './helpers.ts'
import type { Section } from './index.ts'
import { tables } from '../test/exports.ts'

interface Documentation {
  readonly sources: Readonly<Record<string, string>>
  readonly tables: Readonly<Record<string, readonly { name: string; kernel: string; source: string }[]>>
  readonly sections: readonly { prefix: string; source: string }[]
}

const documentation = JSON.parse(
  readFileSync(new URL('../facts/documentation.json', import.meta.url), 'utf8'),
) as Documentation

describe('tables', () => {
  it('are all there', () => {
    expect(tables.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        ...[
          'mapTypes',
          'progTypes',
          'attachTypes',
          'linkTypes',
          'commands',
          'mapFlags',
          'elemFlags',
          'progFlags',
        ],
        ...[
          'statsTypes',
          'testRunFlags',
          'errnos',
          'capabilities',
          'btfKinds',
          'coreRelocationKinds',
          'pseudo',
        ],
        'helpers',
      ]),
    )
  })

  it.each(tables)('%s has each name and each kernel name once', (_, { rows }) => {
    expect(new Set(rows.map((row) => row.name)).size).toBe(rows.length)
    expect(new Set(rows.map((row) => row.kernel)).size).toBe(rows.length)
  })

  it.each(tables)('%s spells names as the kernel does, in lower case, or exactly', (_, { label, rows }) => {
    if (label === 'core_relo_kind') return
    for (const row of rows) {
      expect(row.kernel === row.name || row.kernel.toLowerCase().endsWith(row.name)).toBe(true)
    }
  })

  it('print a number that they do not know', () => {
    expect(uapi.mapTypes.format(57)).toBe('map_type(57)')
    expect(uapi.errnos.format(1)).toBe('EPERM')
  })

  it('print the present name of a number whose name has changed', () => {
    expect(uapi.mapTypes.format(19)).toBe('cgroup_storage')
    expect(uapi.mapTypes.value('cgroup_storage_deprecated')).toBe(19)
    expect(uapi.commands.format(10)).toBe('prog_test_run')
    expect(uapi.errnos.format(11)).toBe('EAGAIN')
  })

  it('name CO-RE relocations as libbpf does', () => {
    expect(uapi.coreRelocationKinds.rows.map((row) => row.name)).toEqual([
      ...['byte_off', 'byte_sz', 'field_exists', 'signed', 'lshift_u64', 'rshift_u64', 'local_type_id'],
      ...['target_type_id', 'type_exists', 'type_size', 'enumval_exists', 'enumval_value', 'type_matches'],
    ])
  })
})

describe('rows from documentation', () => {
  it('say where they come from, and nothing else is marked', () => {
    const marked = tables.flatMap(([name, { rows }]) =>
      rows.filter((row) => row.from !== undefined).map((row) => `${name} ${row.kernel}`),
    )
    const written = Object.entries(documentation.tables).flatMap(([name, rows]) =>
      rows.map((row) => `${name} ${row.kernel}`),
    )
    // Fewer may be marked: a row leaves the generated file once extraction finds it.
    expect(written).toEqual(expect.arrayContaining(marked))
    for (const row of [...Object.values(documentation.tables).flat(), ...documentation.sections]) {
      expect(documentation.sources).toHaveProperty(row.source)
    }
  })

  it('have numbers that no other row has', () => {
    for (const [, { rows }] of tables) {
      for (const row of rows.filter((each) => each.from !== undefined)) {
        expect(rows.filter((each) => each.value === row.value)).toEqual([row])
      }
    }
  })
})

describe('sections', () => {
  const text = (section: Section) => (section.match === 'optional' ? `${section.prefix}+` : section.prefix)

  it('have each name once, so that no row hides another', () => {
    expect(new Set(uapi.sections.map((section) => section.prefix)).size).toBe(uapi.sections.length)
  })

  it('name types that the tables know', () => {
    for (const section of uapi.sections) {
      expect(uapi.progTypes.byName(section.progType)).toBeDefined()
      if (section.attachType !== undefined) {
        expect(uapi.attachTypes.byName(section.attachType)).toBeDefined()
      }
    }
  })

  it('ask for load flags as libbpf does', () => {
    const sleepable = uapi.progFlags.value('sleepable')
    for (const section of uapi.sections) {
      expect((section.flags & sleepable) !== 0).toBe(section.sleepable)
      expect((section.flags & uapi.progFlags.value('xdp_has_frags')) !== 0).toBe(section.xdpFrags)
      // `syscall` is the one name that is sleepable without saying so.
      if (section.prefix !== 'syscall') expect(section.prefix.endsWith('.s')).toBe(section.sleepable)
    }
  })

  it('spell out a few rows in full', () => {
    const rows = new Map(uapi.sections.map((section) => [text(section), section]))
    expect(rows.get('tracepoint+')).toEqual({
      prefix: 'tracepoint',
      match: 'optional',
      progType: 'tracepoint',
      attachType: undefined,
      sleepable: false,
      attachBtf: false,
      expectedAttachOptional: false,
      attachable: false,
      xdpFrags: false,
      usdt: false,
      flags: 0,
      attach: 'tp',
    })
    expect(rows.get('xdp')).toMatchObject({ match: 'exact', expectedAttachOptional: true, attachable: true })
    expect(rows.get('xdp.frags/devmap')).toMatchObject({
      attachType: 'xdp_devmap',
      xdpFrags: true,
      flags: 32,
    })
    expect(rows.get('fentry.s+')).toMatchObject({ attachType: 'trace_fentry', attachBtf: true, flags: 16 })
    expect(rows.get('usdt.s+')).toMatchObject({ usdt: true, sleepable: true, attach: 'usdt' })
    expect(rows.get('lsm_cgroup+')).toMatchObject({
      progType: 'lsm',
      attachType: 'lsm_cgroup',
      attach: undefined,
    })
    expect(rows.get('fentry.multi.s+')).toMatchObject({ from: 'documentation', attachBtf: false })
  })
})

describe('helpers', () => {
  it('have their prototypes', () => {
    expect(helpers.byName('map_update_elem')).toEqual({
      name: 'map_update_elem',
      value: 2,
      kernel: 'BPF_FUNC_map_update_elem',
      returns: 'long',
      params: [
        { name: 'map', type: 'struct bpf_map *' },
        { name: 'key', type: 'const void *' },
        { name: 'value', type: 'const void *' },
        { name: 'flags', type: 'u64' },
      ],
    })
    expect(helpers.byName('trace_printk')?.params.at(-1)).toEqual({ name: '...', type: '...' })
    expect(helpers.byName('ktime_get_ns')).toMatchObject({ returns: 'u64', params: [] })
    expect(helpers.byName('sk_fullsock')?.returns).toBe('struct bpf_sock *')
  })

  it('take at most five arguments', () => {
    for (const row of helpers.rows) {
      expect(row.params.filter((param) => param.name !== '...').length).toBeLessThanOrEqual(5)
    }
  })
})
