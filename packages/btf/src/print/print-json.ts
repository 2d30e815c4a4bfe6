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
import type { PrintTypesOptions } from './print-raw.ts'
import { idsToPrint } from './roots.ts'
import { intEncoding, kindNames, linkageName, wideText } from './raw-words.ts'

/** Options of {@link printJson}. */
export interface PrintJsonOptions extends PrintTypesOptions {
  /**
   * `bpftool`, the default, is byte for byte that; `exact` has decimal strings for values of ENUM64, no widened ones, and
   * `bitfield_size: null` for a member that is no bitfield.
   */
  readonly values?: 'bpftool' | 'exact'
}

/**
 * JSON of all types of a BTF, without those of its base, byte for byte as `bpftool -j btf dump file FILE` prints it
 * (tools/bpf/bpftool/btf.c, bpftool 7.5): `{"types":[{"id":1,"kind":"INT","name":…},…]}` and a newline, in chunks of
 * about 64 KiB.
 *
 * As bpftool does, it prints values of ENUM64 as numbers, which may be beyond 2^53, and widens the 32 bits of an
 * unsigned ENUM with a sign: 0xffffffff is 18446744073709551615; `values: 'exact'` does neither.
 *
 * Throws `BTF_NO_TYPE` for a root that is not found, and `BTF_PRINT` when the text grows beyond 64 times the types (or 4 MiB, whichever is more).
 *
 * @example
 * ```ts
 * import { joinChunks, parseBtf, printJson } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * const { types } = JSON.parse(joinChunks(printJson(kernel))) as { types: { kind: string }[] }
 * console.log(types.filter(({ kind }) => kind === 'STRUCT').length)
 * ```
 */
export function* printJson(btf: Btf, options: PrintJsonOptions = {}): Generator<string, void, undefined> {
  const { values = 'bpftool' } = options
  const ids = idsToPrint(btf, options)
  const flat = flatBtf(btf)
  const pen = makePen(flat.strings, flat.words.byteLength)
  let before = '{"types":['
  for (const id of ids) {
    pen.text(before)
    writeType(flat, pen, id, values === 'exact')
    before = ','
    if (pen.waiting() >= chunkSize) yield pen.take()
  }
  if (before !== ',') pen.text(before)
  pen.text(']}\n')
  yield pen.take()
}

function writeType(flat: FlatBtf, pen: Pen, id: number, exact: boolean): void {
  const { words } = flat
  const start = flat.starts[id] ?? 0
  const info = words[start + 1] ?? 0
  const third = words[start + 2] ?? 0
  const vlen = vlenOfInfo(info)
  const kindFlag = kindFlagOfInfo(info)
  const kind = kindOfInfo(info)
  const put = (text: string, value: number): void => {
    pen.text(text)
    pen.number(value)
  }
  /** Writes the elements of an array, each beginning with its name; `rest` writes what follows. */
  const list = (name: string, each: number, rest: (at: number) => void): void => {
    put(',"vlen":', vlen)
    pen.text(`,"${name}":[`)
    for (let i = 0, at = start + 3; i < vlen; i++, at += each) {
      writeName(flat, pen, i === 0 ? '{"name":"' : ',{"name":"', words[at] ?? 0)
      rest(at)
      pen.text('}')
    }
    pen.text(']')
  }
  put('{"id":', id)
  pen.text(`,"kind":"${kindNames[kind] ?? 'UNKNOWN'}",`)
  writeName(flat, pen, '"name":"', words[start] ?? 0)
  switch (kind) {
    case kindPtr:
    case kindConst:
    case kindVolatile:
    case kindRestrict:
    case kindTypedef:
    case kindTypeTag:
      put(',"type_id":', third)
      break
    case kindFunc:
      put(',"type_id":', third)
      pen.text(`,"linkage":"${linkageName(vlen)}"`)
      break
    case kindFuncProto:
      put(',"ret_type_id":', third)
      list('params', 2, (at) => put(',"type_id":', words[at + 1] ?? 0))
      break
    case kindStruct:
    case kindUnion:
      put(',"size":', third)
      list('members', 3, (at) => {
        const offset = words[at + 2] ?? 0
        const bits = kindFlag ? offset >>> 24 : 0
        put(',"type_id":', words[at + 1] ?? 0)
        put(',"bits_offset":', kindFlag ? offset & 0xffffff : offset)
        if (bits !== 0) put(',"bitfield_size":', bits)
        else if (exact) pen.text(',"bitfield_size":null')
      })
      break
    case kindEnum:
    case kindEnum64: {
      pen.text(kindFlag ? ',"encoding":"SIGNED"' : ',"encoding":"UNSIGNED"')
      put(',"size":', third)
      const wide = kind === kindEnum64
      list('values', wide ? 3 : 2, (at) => {
        const low = words[at + 1] ?? 0
        if (exact) {
          if (wide) pen.text(`,"val":"${wideText(low, words[at + 2] ?? 0, kindFlag)}"`)
          else put(',"val":', kindFlag ? low | 0 : low)
          return
        }
        // bpftool widens the 32 bits with their sign, whether the enum is signed or not.
        const high = wide ? (words[at + 2] ?? 0) : (low | 0) < 0 ? 0xffff_ffff : 0
        pen.text(`,"val":${wideText(low, high, kindFlag)}`)
      })
      break
    }
    case kindArray:
      put(',"type_id":', words[start + 3] ?? 0)
      put(',"index_type_id":', words[start + 4] ?? 0)
      put(',"nr_elems":', words[start + 5] ?? 0)
      break
    case kindInt: {
      const encoding = words[start + 3] ?? 0
      put(',"size":', third)
      put(',"bits_offset":', (encoding >>> 16) & 0xff)
      put(',"nr_bits":', encoding & 0xff)
      pen.text(`,"encoding":"${intEncoding(encoding)}"`)
      break
    }
    case kindFwd:
      pen.text(kindFlag ? ',"fwd_kind":"union"' : ',"fwd_kind":"struct"')
      break
    case kindVar:
      put(',"type_id":', third)
      pen.text(`,"linkage":"${linkageName(words[start + 3] ?? 0)}"`)
      break
    case kindDatasec:
      put(',"size":', third)
      put(',"vlen":', vlen)
      pen.text(',"vars":[')
      for (let i = 0, at = start + 3; i < vlen; i++, at += 3) {
        put(i === 0 ? '{"type_id":' : ',{"type_id":', words[at] ?? 0)
        put(',"offset":', words[at + 1] ?? 0)
        put(',"size":', words[at + 2] ?? 0)
        pen.text('}')
      }
      pen.text(']')
      break
    case kindFloat:
      put(',"size":', third)
      break
    case kindDeclTag:
      put(',"type_id":', third)
      put(',"component_idx":', (words[start + 3] ?? 0) | 0)
      break
    default:
  }
  pen.text('}')
}

function writeName(flat: FlatBtf, pen: Pen, before: string, offset: number): void {
  pen.text(before)
  if (offset === 0) pen.text('(anon)')
  else if (offset < flat.strings.length) pen.jsonName(offset)
  else pen.text('(invalid)')
  pen.text('"')
}
