import type { Btf } from '../btf-type.ts'
import { kindFlagOfInfo, kindOfInfo, vlenOfInfo } from '../kinds.ts'
import { flatBtf } from './flat-btf.ts'
import type { FlatBtf } from './flat-btf.ts'
import {
  kindArray,
  kindConst,
  kindDatasec,
  kindDeclTag,
  kindEnum,
  kindEnum64,
  kindFloat,
  kindFunc,
  kindFuncProto,
  kindFwd,
  kindInt,
  kindPtr,
  kindRestrict,
  kindStruct,
  kindTypeTag,
  kindTypedef,
  kindUnion,
  kindVar,
  kindVolatile,
} from './kind-numbers.ts'
import { chunkSize, makePen } from './pen.ts'
import type { Pen } from './pen.ts'
import { idsToPrint } from './roots.ts'
import type { BtfRoot } from './roots.ts'
import { intEncoding, kindNames, linkageName, wideText } from './raw-words.ts'

/** Options of {@link printRaw}. */
export interface PrintTypesOptions {
  /** Only these types, not what they refer to, in this order; all types of the BTF without its base unless given. */
  readonly roots?: readonly BtfRoot[]
}

/**
 * Text of all types of a BTF, without those of its base, line for line as `bpftool btf dump file FILE format raw`
 * prints it (tools/bpf/bpftool/btf.c, bpftool 7.5), in chunks of about 64 KiB. References and string offsets are
 * printed as they are, so it shows what is wrong with a damaged BTF: `(invalid)` is a string that is not there.
 *
 * Throws `BTF_NO_TYPE` for a root that is not found, and `BTF_PRINT` when the text grows beyond 64 times the types (or 4 MiB, whichever is more).
 *
 * @example
 * ```ts
 * import { parseBtf, printRaw } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * for (const chunk of printRaw(kernel)) {
 *   console.log(chunk.slice(0, 64)) // [1] INT 'long unsigned int' size=8 bits_offset=0 nr_bits=64 ...
 *   break
 * }
 * ```
 */
export function* printRaw(btf: Btf, options: PrintTypesOptions = {}): Generator<string, void, undefined> {
  const ids = idsToPrint(btf, options)
  const flat = flatBtf(btf)
  const pen = makePen(flat.strings, flat.words.byteLength)
  for (const id of ids) {
    writeType(flat, pen, id)
    if (pen.waiting() >= chunkSize) yield pen.take()
  }
  const rest = pen.take()
  if (rest !== '') yield rest
}

function writeType(flat: FlatBtf, pen: Pen, id: number): void {
  const { words } = flat
  const start = flat.starts[id] ?? 0
  const info = words[start + 1] ?? 0
  const third = words[start + 2] ?? 0
  const vlen = vlenOfInfo(info)
  const kindFlag = kindFlagOfInfo(info)
  const put = (text: string, value: number): void => {
    pen.text(text)
    pen.number(value)
  }
  put('[', id)
  pen.text('] ')
  writeKind(flat, pen, id)
  switch (kindOfInfo(info)) {
    case kindPtr:
    case kindConst:
    case kindVolatile:
    case kindRestrict:
    case kindTypedef:
    case kindTypeTag:
      put(' type_id=', third)
      break
    case kindFunc:
      put(' type_id=', third)
      pen.text(` linkage=${linkageName(vlen)}`)
      break
    case kindFuncProto:
      put(' ret_type_id=', third)
      put(' vlen=', vlen)
      for (let at = start + 3, end = at + vlen * 2; at < end; at += 2) {
        writeName(flat, pen, "\n\t'", words[at] ?? 0)
        put(' type_id=', words[at + 1] ?? 0)
      }
      break
    case kindStruct:
    case kindUnion:
      put(' size=', third)
      put(' vlen=', vlen)
      for (let at = start + 3, end = at + vlen * 3; at < end; at += 3) {
        const offset = words[at + 2] ?? 0
        const bits = kindFlag ? offset >>> 24 : 0
        writeName(flat, pen, "\n\t'", words[at] ?? 0)
        put(' type_id=', words[at + 1] ?? 0)
        put(' bits_offset=', kindFlag ? offset & 0xffffff : offset)
        if (bits !== 0) put(' bitfield_size=', bits)
      }
      break
    case kindEnum:
    case kindEnum64: {
      pen.text(kindFlag ? ' encoding=SIGNED' : ' encoding=UNSIGNED')
      put(' size=', third)
      put(' vlen=', vlen)
      const wide = kindOfInfo(info) === kindEnum64
      const each = wide ? 3 : 2
      for (let at = start + 3, end = at + vlen * each; at < end; at += each) {
        const low = words[at + 1] ?? 0
        writeName(flat, pen, "\n\t'", words[at] ?? 0)
        if (wide) pen.text(` val=${wideText(low, words[at + 2] ?? 0, kindFlag)}${kindFlag ? 'LL' : 'ULL'}`)
        else put(' val=', kindFlag ? low | 0 : low)
      }
      break
    }
    case kindArray:
      put(' type_id=', words[start + 3] ?? 0)
      put(' index_type_id=', words[start + 4] ?? 0)
      put(' nr_elems=', words[start + 5] ?? 0)
      break
    case kindInt: {
      const encoding = words[start + 3] ?? 0
      put(' size=', third)
      put(' bits_offset=', (encoding >>> 16) & 0xff)
      put(' nr_bits=', encoding & 0xff)
      pen.text(` encoding=${intEncoding(encoding)}`)
      break
    }
    case kindFwd:
      pen.text(kindFlag ? ' fwd_kind=union' : ' fwd_kind=struct')
      break
    case kindVar:
      put(' type_id=', third)
      pen.text(`, linkage=${linkageName(words[start + 3] ?? 0)}`)
      break
    case kindDatasec:
      put(' size=', third)
      put(' vlen=', vlen)
      for (let at = start + 3, end = at + vlen * 3; at < end; at += 3) {
        const type = words[at] ?? 0
        put('\n\ttype_id=', type)
        put(' offset=', words[at + 1] ?? 0)
        put(' size=', words[at + 2] ?? 0)
        if (type < flat.endId) {
          pen.text(' (')
          writeKind(flat, pen, type)
          pen.text(')')
        }
      }
      break
    case kindFloat:
      put(' size=', third)
      break
    case kindDeclTag:
      put(' type_id=', third)
      put(' component_idx=', (words[start + 3] ?? 0) | 0)
      break
    default:
  }
  pen.text('\n')
}

function writeKind(flat: FlatBtf, pen: Pen, id: number): void {
  const start = flat.starts[id] ?? 0
  const kind = id === 0 ? 0 : kindOfInfo(flat.words[start + 1] ?? 0)
  pen.text(kind === 0 ? 'UNKNOWN' : (kindNames[kind] ?? 'UNKNOWN'))
  writeName(flat, pen, " '", id === 0 ? 0 : (flat.words[start] ?? 0))
}

function writeName(flat: FlatBtf, pen: Pen, before: string, offset: number): void {
  pen.text(before)
  if (offset === 0) pen.text('(anon)')
  else if (offset < flat.strings.length) pen.name(offset)
  else pen.text('(invalid)')
  pen.text("'")
}
