import type { Btf, BtfKind } from '../btf-type.ts'
import { kindFlagOfInfo, kindOfInfo, kinds, vlenOfInfo } from '../kinds.ts'
import { parseBtf } from '../parse-btf.ts'
import { encodeImage, openImage } from './btf-image.ts'
import { stringTable } from './string-table.ts'

/**
 * What a kernel's BTF may lack; named after libbpf's `FEAT_BTF_*`. `extern`, declarations of what others define, is in no
 * kernel's: it belongs to objects.
 */
export type BtfFeature =
  | 'extern'
  | 'func'
  | 'func_global'
  | 'datasec'
  | 'qmark_datasec'
  | 'float'
  | 'decl_tag'
  | 'type_tag'
  | 'enum64'

/** A type that is being rewritten, in place: what replaces it takes as many words. */
interface Draft {
  readonly words: Uint32Array
  readonly start: number
  readonly vlen: number
  readonly name: string
  /** Where another type starts. */
  readonly startOf: (id: number) => number
  /** Offset of a text in the string section, added where it is new. */
  readonly string: (text: string) => number
  /** Id of an int of one byte, added where it is missing. */
  readonly placeholder: () => number
}

/** What stands in for a feature that a kernel lacks. */
export interface SanitizeRule {
  readonly feature: BtfFeature
  /**
   * First release of the kernel that has the feature; distributions may have it in older ones. `undefined` where none has.
   */
  readonly since: string | undefined
  /** The kind of the types that are replaced. */
  readonly kind: BtfKind
  /** By what. */
  readonly becomes: string
}

interface Rule extends SanitizeRule {
  readonly applies?: (draft: Draft) => boolean
  readonly rewrite: (draft: Draft) => void
}

const infoOf = (kind: string, vlen = 0): number => (((kinds.byName(kind)?.value ?? 0) << 24) | vlen) >>> 0

/** Linkages of BTF_KIND_FUNC and BTF_KIND_VAR (include/uapi/linux/btf.h). */
const externFunc = 2
const globalVar = 1
const externVar = 2

/** An int of one byte: more could be more than what it replaces has. */
function becomeByte({ words, start }: Draft): void {
  words[start + 1] = infoOf('int')
  words[start + 2] = 1
  words[start + 3] = 8
}

/*
 * `since` is the release whose merge window followed the kernel's commit: func and func_proto of November 2018 are in 5.0,
 * "bpf: add specification for BTF Var and DataSec kinds" of April 2019 in 5.2, linkage of functions (January 2020) in
 * 5.6, "bpf: Add BTF_KIND_FLOAT to uapi" of March 2021 in 5.13, "bpf: Support for new btf kind BTF_KIND_TAG" (later
 * DECL_TAG) of September 2021 in 5.16, "bpf: Support BTF_KIND_TYPE_TAG for btf_type_tag attributes" of November 2021 in
 * 5.17, "bpf: Add btf enum64 support" of June 2022 in 6.0, "bpf: Allow all printable characters in BTF DATASEC names"
 * of March 2024 in 6.9. What each feature means is what libbpf probes for (tools/lib/bpf/features.c).
 */
const rules: readonly Rule[] = [
  {
    feature: 'extern',
    since: undefined,
    kind: 'func',
    becomes: 'typedef',
    applies: ({ vlen }) => vlen === externFunc,
    rewrite({ words, start }) {
      words[start + 1] = infoOf('typedef')
    },
  },
  {
    feature: 'extern',
    since: undefined,
    kind: 'var',
    becomes: 'var with global linkage; an int of one byte where it has no type of its own',
    applies: ({ words, start }) => words[start + 3] === externVar,
    rewrite({ words, start, placeholder }) {
      words[start + 3] = globalVar
      if (words[start + 2] === 0) words[start + 2] = placeholder()
    },
  },
  {
    feature: 'extern',
    since: undefined,
    kind: 'datasec',
    becomes: 'struct with a member of one byte for each symbol',
    applies: ({ name }) => name === '.ksyms',
    rewrite({ words, start, vlen, string, placeholder, startOf }) {
      words[start] = string('ksyms')
      words[start + 1] = infoOf('struct', vlen)
      words[start + 2] = vlen
      for (let i = 0; i < vlen; i++) {
        const at = start + 3 + i * 3
        const symbol = startOf(words[at] ?? 0)
        // The kernel wants a size of variables, and has its own idea of these.
        if (kindOfInfo(words[symbol + 1] ?? 0) === kinds.value('var')) words[symbol + 2] = placeholder()
        words.set([0, placeholder(), i * 8], at)
      }
    },
  },
  { feature: 'datasec', since: '5.2', kind: 'var', becomes: 'int of one byte', rewrite: becomeByte },
  { feature: 'decl_tag', since: '5.16', kind: 'decl_tag', becomes: 'int of one byte', rewrite: becomeByte },
  {
    feature: 'datasec',
    since: '5.2',
    kind: 'datasec',
    becomes: 'struct with a member for each variable',
    rewrite({ words, start, vlen, name, startOf, string }) {
      words[start] = string(name.replaceAll(/[.?]/g, '_'))
      words[start + 1] = infoOf('struct', vlen)
      for (let at = start + 3; at < start + 3 + vlen * 3; at += 3) {
        const variable = words[at] ?? 0
        const offset = words[at + 1] ?? 0
        words[at] = words[startOf(variable)] ?? 0
        words[at + 1] = variable
        words[at + 2] = offset * 8
      }
    },
  },
  {
    feature: 'qmark_datasec',
    since: '6.9',
    kind: 'datasec',
    becomes: 'datasec with _ for the ? that its name begins with',
    applies: ({ name }) => name.startsWith('?'),
    rewrite({ words, start, name, string }) {
      words[start] = string(`_${name.slice(1)}`)
    },
  },
  {
    feature: 'func',
    since: '5.0',
    kind: 'func_proto',
    becomes: 'enum with a value for each parameter',
    rewrite({ words, start, vlen }) {
      words[start + 1] = infoOf('enum', vlen)
      words[start + 2] = 4
    },
  },
  {
    feature: 'func',
    since: '5.0',
    kind: 'func',
    becomes: 'typedef',
    rewrite({ words, start }) {
      words[start + 1] = infoOf('typedef')
    },
  },
  {
    feature: 'func_global',
    since: '5.6',
    kind: 'func',
    becomes: 'func with static linkage',
    applies: ({ vlen }) => vlen !== 0,
    rewrite({ words, start }) {
      words[start + 1] = infoOf('func')
    },
  },
  {
    feature: 'float',
    since: '5.13',
    kind: 'float',
    becomes: 'struct of its size, without name and members',
    rewrite({ words, start }) {
      words[start] = 0
      words[start + 1] = infoOf('struct')
    },
  },
  {
    feature: 'type_tag',
    since: '5.17',
    kind: 'type_tag',
    becomes: 'const',
    rewrite({ words, start }) {
      words[start] = 0
      words[start + 1] = infoOf('const')
    },
  },
  {
    feature: 'enum64',
    since: '6.0',
    kind: 'enum',
    becomes: 'enum without the flag that its values are signed',
    applies: ({ words, start }) => kindFlagOfInfo(words[start + 1] ?? 0),
    rewrite({ words, start, vlen }) {
      words[start + 1] = infoOf('enum', vlen)
    },
  },
  {
    feature: 'enum64',
    since: '6.0',
    kind: 'enum64',
    becomes: 'union with a member of one byte for each value',
    rewrite({ words, start, vlen, placeholder }) {
      words[start + 1] = infoOf('union', vlen)
      for (let at = start + 3; at < start + 3 + vlen * 3; at += 3) {
        words[at + 1] = placeholder()
        words[at + 2] = 0
      }
    },
  },
]

/**
 * The rules of {@link sanitizeBtf}: libbpf's (`bpf_object__sanitize_btf`), in its order. Of those for a kind, the first
 * whose feature is missing applies; each replaces a type by one that older kernels take, with the same id.
 *
 * @example
 * ```ts
 * import { sanitizeRules } from '@tsbpf/btf'
 * for (const rule of sanitizeRules) console.log(`before ${rule.since ?? "any"}, ${rule.kind} becomes ${rule.becomes}`)
 * ```
 */
export const sanitizeRules: readonly SanitizeRule[] = rules

/**
 * Makes BTF that an older kernel takes: what it lacks is replaced by what it has, by libbpf's rules, so that everything
 * else about the object is still known there. Ids and string offsets stay, so that `.BTF.ext` still fits; new names and
 * an int for the members of former enum64 come at the end. Where nothing changes, `btf` itself is returned.
 *
 * `has` is asked at most once for each feature, and only where a type needs it. Throws `BTF_STRING`, `BTF_REFERENCE`.
 *
 * @example
 * ```ts
 * import { encodeBtf, parseBtf, sanitizeBtf } from '@tsbpf/btf'
 * const btf = parseBtf(encodeBtf([{ kind: 'float', name: 'double', size: 8 }]))
 * console.log(sanitizeBtf(btf, (feature) => feature !== 'float').kind(1)) // struct
 * ```
 */
export function sanitizeBtf(
  btf: Btf,
  has: (feature: BtfFeature) => boolean,
  options: { readonly name?: string } = {},
): Btf {
  const { name: file = 'BTF' } = options
  const known = new Map<BtfFeature, boolean>()
  const lacks = (feature: BtfFeature): boolean => {
    let answer = known.get(feature)
    if (answer === undefined) {
      answer = has(feature)
      known.set(feature, answer)
    }
    return !answer
  }
  const image = openImage(btf, file)
  const { words, starts } = image
  const strings = stringTable(image.strings)
  const added: number[] = []
  let changed = false
  const placeholder = (): number => {
    if (added.length === 0) added.push(strings.addText('enum64_placeholder'), infoOf('int'), 1, 8)
    return btf.endId
  }
  for (let id = btf.firstId; id < btf.endId; id++) {
    const start = starts[id] ?? 0
    const info = words[start + 1] ?? 0
    const kind = kinds.format(kindOfInfo(info))
    const draft: Draft = {
      words,
      start,
      vlen: vlenOfInfo(info),
      get name() {
        return btf.nameOf(id)
      },
      startOf: (other) => starts[other] ?? 0,
      string: (text) => strings.addText(text),
      placeholder,
    }
    const rule = rules.find(
      (row) => row.kind === kind && (row.applies?.(draft) ?? true) && lacks(row.feature),
    )
    if (rule === undefined) continue
    rule.rewrite(draft)
    changed = true
  }
  if (!changed) return btf
  const own = words.subarray(starts[btf.firstId] ?? 0)
  const all = new Uint32Array(own.length + added.length)
  all.set(own)
  all.set(added, own.length)
  const data = encodeImage(all, strings.bytes().subarray(image.firstString), btf.littleEndian)
  return parseBtf(data, { name: file, ...(btf.base === undefined ? {} : { base: btf.base }) })
}
