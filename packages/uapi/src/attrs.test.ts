import { describe, expect, it } from 'vitest'
import {
  attrLayout,
  attrs,
  commands,
  linkInfo,
  linkInfoArms,
  linkTypes,
  mapCreateAttr,
  perfEventAttr,
} from './index.ts'

describe('attrLayout', () => {
  it('has a layout for every command', () => {
    expect(Object.keys(attrLayout).sort()).toEqual(commands.rows.map((row) => row.name).sort())
  })

  it('shares layouts as the kernel shares members of the union', () => {
    expect(attrLayout.map_lookup_elem).toBe(attrs.map_elem)
    expect(attrLayout.map_freeze).toBe(attrs.map_elem)
    expect(attrLayout.link_get_fd_by_id).toBe(attrs.obj_id)
    expect(new Set(Object.values(attrLayout))).toEqual(new Set(Object.values(attrs)))
  })

  it('puts value and next_key of an element in one place', () => {
    expect(attrs.map_elem.offsets.value).toBe(attrs.map_elem.offsets.next_key)
  })

  it('writes a map_create that reads back', () => {
    const name = new TextEncoder().encode('counts')
    const value = {
      map_type: 1,
      key_size: 4,
      value_size: 8,
      max_entries: 16,
      map_name: name,
      map_token_fd: -1,
    }
    const bytes = mapCreateAttr.encode(value, true)
    expect(bytes.length).toBe(mapCreateAttr.size)
    expect([...bytes.subarray(0, 8)]).toEqual([1, 0, 0, 0, 4, 0, 0, 0])
    const back = mapCreateAttr.readAt(new DataView(bytes.buffer), 0, true)
    expect(back).toMatchObject({ map_type: 1, key_size: 4, map_token_fd: -1, map_extra: 0n })
    expect([...back.map_name.subarray(0, 7)]).toEqual([...name, 0])
  })

  it('names the fields of link_create by the kind of link', () => {
    expect(attrLayout.link_create.offsets).toMatchObject({
      prog_fd: 0,
      map_fd: 0,
      target_fd: 4,
      'perf_event.bpf_cookie': 16,
      'kprobe_multi.cnt': 20,
      'tcx.relative_fd': 16,
      'uprobe_multi.pid': 56,
    })
  })
})

describe('linkInfoArms', () => {
  it('have the whole size, stand behind what all links have, and are named as link types', () => {
    for (const [name, arm] of Object.entries(linkInfoArms)) {
      expect(linkTypes.byName(name)).toBeDefined()
      expect(arm.size).toBe(linkInfo.size)
      expect(Math.min(...Object.values(arm.offsets as Record<string, number>))).toBeGreaterThanOrEqual(16)
    }
    // xdp and the rest are all there: only these types have nothing of their own in 6.18.
    const without = linkTypes.rows.filter((row) => !(row.name in linkInfoArms)).map((row) => row.name)
    expect(without).toEqual(['unspec', 'tracing_multi'])
  })
})

describe('perfEventAttr', () => {
  it('has one word for its bitfields', () => {
    expect(perfEventAttr.offsets.flags).toBe(40)
    expect(perfEventAttr.fields.flags.size).toBe(8)
    expect(perfEventAttr.size).toBe(136)
  })
})
