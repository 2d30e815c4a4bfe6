import { attrMembers, structs } from './subjects.mjs'

const bpf = 'include/uapi/linux/bpf.h'

/** Byte offset of the word that holds a bitfield. */
const wordOf = (field) => Math.floor(field.bit / (field.unit * 8)) * field.unit

/** Plain fields, and bitfields as one field per storage unit, named as `units` says by the unit's byte offset. */
function plain(fields, units = {}) {
  const rows = []
  for (const field of fields) {
    if (field.bit === undefined) {
      rows.push(field)
      continue
    }
    const offset = wordOf(field)
    const alone = fields.filter((other) => other.bit !== undefined && wordOf(other) === offset).length === 1
    const name = units[offset] ?? (alone ? field.name : undefined)
    if (name === undefined)
      throw new Error(`the word of the bitfield ${field.name} at byte ${offset} has no name`)
    if (!rows.some((row) => row.name === name)) rows.push({ name, type: `u${field.unit * 8}`, offset })
  }
  return rows.filter((row) => !/(^|\.)(__reserved|_+pad)/.test(row.name))
}

/** `union bpf_attr`, one layout for each member that a command reads. */
export function readAttrs(kernel, syscallSource) {
  const union = kernel.aggregate('bpf_attr')
  const lastFields = new Map(
    [...syscallSource.matchAll(/^#define BPF_(\w+)_LAST_FIELD\s+([\w.]+)/gm)].map(([, macro, field]) => [
      macro,
      field,
    ]),
  )
  const taken = new Set()
  const attrs = Object.entries(attrMembers).map(([name, { member, field, commands }]) => {
    const index = union.members.findIndex((candidate) => {
      const type = kernel.resolve(candidate.type_id)
      return member === undefined
        ? candidate.name === '(anon)' && kernel.fields(type).some((each) => each.name === field)
        : candidate.name === member
    })
    if (index < 0 || taken.has(index)) throw new Error(`no member of union bpf_attr for ${name}`)
    taken.add(index)
    const type = kernel.resolve(union.members[index].type_id)
    const fields = plain(kernel.fields(type))
    for (const [macro, last] of lastFields) {
      const own = commands.includes(macro.toLowerCase())
      const wanted = member === undefined ? last : last.replace(`${member}.`, '')
      if (own && !fields.some((each) => each.name === wanted)) {
        throw new Error(`BPF_${macro}_LAST_FIELD is ${last}, which the layout ${name} has not`)
      }
    }
    return { name, path: `${bpf} union bpf_attr`, member: member ?? '', size: type.size, commands, fields }
  })
  const left = union.members.findIndex((_, index) => !taken.has(index))
  if (left >= 0)
    throw new Error(`member ${left} of union bpf_attr (${union.members[left].name}) is not known`)
  return Object.fromEntries(attrs.map(({ name, ...attr }) => [name, attr]))
}

/** Names of the words that hold bitfields, by their byte offset. */
const bitfieldUnits = {
  perf_event_attr: { 40: 'flags', 116: 'aux_action' },
  perf_event_mmap_page: { 40: 'capabilities' },
}

export function readStructs(kernel) {
  return Object.fromEntries(
    Object.entries(structs).map(([name, [tag, path]]) => {
      const type = kernel.aggregate(tag)
      const units = bitfieldUnits[tag] ?? {}
      return [
        name,
        { path: `${path} struct ${tag}`, size: type.size, fields: plain(kernel.fields(type), units) },
      ]
    }),
  )
}

/** `struct bpf_link_info`: what all links have, and one layout for each member of its union, at its real offsets. */
export function readLinkInfo(kernel) {
  const type = kernel.aggregate('bpf_link_info')
  const all = plain(kernel.fields(type))
  const arm = (field) => (field.name.includes('.') ? field.name.slice(0, field.name.indexOf('.')) : undefined)
  const arms = {}
  for (const field of all) {
    const name = arm(field)
    if (name === undefined) continue
    arms[name] ??= { path: `${bpf} struct bpf_link_info`, size: type.size, fields: [] }
    arms[name].fields.push({ ...field, name: field.name.slice(name.length + 1) })
  }
  return {
    common: {
      path: `${bpf} struct bpf_link_info`,
      size: type.size,
      fields: all.filter((field) => arm(field) === undefined),
    },
    arms,
  }
}

/** The bitfields of `struct perf_event_attr`: bit number within `flags`, and width. */
export function readPerfFlags(kernel) {
  const fields = kernel
    .fields(kernel.aggregate('perf_event_attr'))
    .filter((field) => field.bit !== undefined && wordOf(field) === 40)
  const path = 'include/uapi/linux/perf_event.h struct perf_event_attr'
  return fields
    .filter((field) => !field.name.startsWith('__'))
    .map((field) => ({ name: field.name, value: field.bit - 320, bits: field.bits, path }))
}
