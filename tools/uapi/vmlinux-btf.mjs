import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sha256 } from './linux-source.mjs'

const runningBtf = '/sys/kernel/btf/vmlinux'
const wanted = '6.18'

/** Why the BTF of a 6.18 kernel cannot be read and how to get it; `undefined` where it can. */
export function missingBtf(file) {
  if (file === undefined && !(release().startsWith(`${wanted}.`) && existsSync(runningBtf))) {
    return (
      `the running kernel is ${release()}, not ${wanted}: name the vmlinux BTF of a ${wanted} kernel (a copy of its ` +
      `${runningBtf}, gzip allowed) with --btf FILE or the environment variable TSBPF_BTF_618`
    )
  }
  if (file !== undefined && !existsSync(file)) {
    return `${file} is missing: copy ${runningBtf} of a ${wanted} kernel there`
  }
  if (spawnSync('bpftool', ['version']).error !== undefined) {
    return 'bpftool is missing: install it (apt-get install bpftool)'
  }
  return undefined
}

/** Reads the BTF of a 6.18 kernel through bpftool, and returns it as {@link KernelTypes} with what identifies it. */
export async function readVmlinuxBtf(file, kernel) {
  const path = file ?? runningBtf
  const folder = mkdtempSync(join(tmpdir(), 'tsbpf-uapi-'))
  try {
    let raw = path
    if (path.endsWith('.gz')) {
      raw = join(folder, 'vmlinux')
      writeFileSync(raw, gunzipSync(readFileSync(path)))
    }
    const json = execFileSync('bpftool', ['-j', 'btf', 'dump', 'file', raw], { maxBuffer: 1 << 30 })
    return {
      types: new KernelTypes(JSON.parse(json).types),
      input: {
        kernel:
          kernel ?? (file === undefined ? release().replace(/-.*/, '') : `${wanted}, release not known`),
        sha256: await sha256(raw),
      },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The types of one kernel, as bpftool prints them. */
export class KernelTypes {
  #types
  #enumerators = new Map()

  constructor(types) {
    this.#types = new Map(types.map((type) => [type.id, type]))
    for (const type of types) {
      if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') continue
      for (const { name, val } of type.values) {
        if (!this.#enumerators.has(name))
          this.#enumerators.set(name, { value: BigInt(val), tag: type.name, type })
      }
    }
  }

  /** The values of an enumeration, or `undefined` where this kernel's BTF does not hold it. */
  enumeration(tag) {
    for (const type of this.#types.values()) {
      if ((type.kind === 'ENUM' || type.kind === 'ENUM64') && type.name === tag) {
        return type.values.map(({ name, val }) => ({ name, value: BigInt(val) }))
      }
    }
    return undefined
  }

  /** The value of an enumerator, whichever enumeration has it. */
  enumerator(name) {
    return this.#enumerators.get(name)?.value
  }

  /** All enumerators of the (often anonymous) enumeration that has this one. */
  siblings(name) {
    const found = this.#enumerators.get(name)
    return found?.type.values.map((value) => ({ name: value.name, value: BigInt(value.val) }))
  }

  aggregate(name) {
    for (const type of this.#types.values()) {
      if ((type.kind === 'STRUCT' || type.kind === 'UNION') && type.name === name) return type
    }
    throw new Error(`the BTF has no struct or union ${name}`)
  }

  /** Steps through typedefs and qualifiers. */
  resolve(id) {
    let type = this.#types.get(id)
    while (type !== undefined && ['TYPEDEF', 'CONST', 'VOLATILE', 'TYPE_TAG'].includes(type.kind)) {
      type = this.#types.get(type.type_id)
    }
    return type
  }

  sizeOf(type) {
    if (type.kind === 'PTR') return 8
    if (type.kind === 'ARRAY') return type.nr_elems * this.sizeOf(this.resolve(type.type_id))
    return type.size
  }

  #fieldType(type, where) {
    const size = this.sizeOf(type)
    if (type.kind === 'INT') {
      const signed = type.encoding.includes('SIGNED') && type.encoding !== 'UNSIGNED'
      return `${signed && size < 8 ? 'i' : 'u'}${size * 8}`
    }
    if (type.kind === 'ENUM') return 'u32'
    if (type.kind === 'PTR' || type.kind === 'ENUM64') return 'u64'
    if (type.kind === 'ARRAY') return `bytes(${size})`
    throw new Error(`${where} is a ${type.kind}`)
  }

  /**
   * The fields of a struct or union, flat, at offsets from its start. Members of anonymous structs and unions
   * keep their own names, those of named ones are named below it: `kprobe_multi.cnt`. `skip` leaves members out.
   */
  fields(type, { skip = () => false } = {}, prefix = '', base = 0) {
    const fields = []
    for (const member of type.members) {
      const anonymous = member.name === '(anon)'
      const name = anonymous ? prefix : prefix + member.name
      if (!anonymous && skip(name)) continue
      const memberType = this.resolve(member.type_id)
      const bits = base * 8 + member.bits_offset
      if (memberType.kind === 'STRUCT' || memberType.kind === 'UNION') {
        fields.push(...this.fields(memberType, { skip }, anonymous ? prefix : `${name}.`, bits / 8))
        continue
      }
      if (anonymous) continue
      if (member.bitfield_size) {
        fields.push({ name, bit: bits, bits: member.bitfield_size, unit: this.sizeOf(memberType) })
        continue
      }
      fields.push({ name, type: this.#fieldType(memberType, name), offset: bits / 8 })
    }
    return fields
  }
}
