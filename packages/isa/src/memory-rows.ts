import type { InsnRow, InsnText } from './insn-row.ts'
import { cls, mode, row, size } from './insn-row.ts'

const regular = 'RFC 9669 section 5.1'
const signExtended = 'RFC 9669 section 5.2'
const atomic = 'RFC 9669 section 5.3'
const wide = 'RFC 9669 section 5.4'
const legacy = 'RFC 9669 section 5.5'

type Size = 'b' | 'h' | 'w' | 'dw'

/** Names of the unsigned C types that the text dialects write for a size. */
const unsigned = { b: 'u8', h: 'u16', w: 'u32', dw: 'u64' } as const
const signed = { b: 's8', h: 's16', w: 's32' } as const

const group = (s: Size): 'base32' | 'base64' => (s === 'dw' ? 'base64' : 'base32')

function ldx<const S extends Size>(s: S): InsnRow<`ldx${S}`> {
  const text = `r{dst} = *(${unsigned[s]} *)(r{src} {off})`
  return row(`ldx${s}`, mode('mem') | size(s) | cls('ldx'), {
    dst: 'any',
    src: 'any',
    off: 'any',
    group: group(s),
    source: regular,
    text: {
      llvm: s === 'dw' ? text : text.replace('r{dst}', '{r32}{dst}'),
      verifier: text,
      gnu: `ldx${s} %{dst},[%{src}{off}]`,
      conformance: `ldx${s} %r{dst}, [%r{src}{off}]`,
    },
  })
}

function ldxs<const S extends 'b' | 'h' | 'w'>(s: S): InsnRow<`ldxs${S}`> {
  const text = `r{dst} = *(${signed[s]} *)(r{src} {off})`
  return row(`ldxs${s}`, mode('memsx') | size(s) | cls('ldx'), {
    dst: 'any',
    src: 'any',
    off: 'any',
    group: group(s),
    source: signExtended,
    text: {
      llvm: text,
      verifier: text,
      gnu: `ldxs${s} %{dst},[%{src}{off}]`,
      conformance: `ldxs${s} %r{dst}, [%r{src}{off}]`,
    },
  })
}

function st<const S extends Size>(s: S): InsnRow<`st${S}`> {
  const text = `*(${unsigned[s]} *)(r{dst} {off}) = {imm}`
  return row(`st${s}`, mode('mem') | size(s) | cls('st'), {
    dst: 'any',
    off: 'any',
    imm: 'any',
    group: group(s),
    source: regular,
    text: {
      llvm: text,
      verifier: text,
      gnu: `st${s} [%{dst}{off}],{imm}`,
      conformance: `st${s} [%r{dst}{off}], {imm}`,
    },
  })
}

function stx<const S extends Size>(s: S): InsnRow<`stx${S}`> {
  const text = `*(${unsigned[s]} *)(r{dst} {off}) = r{src}`
  return row(`stx${s}`, mode('mem') | size(s) | cls('stx'), {
    dst: 'any',
    src: 'any',
    off: 'any',
    group: group(s),
    source: regular,
    text: {
      llvm: s === 'dw' ? text : text.replace('r{src}', '{r32}{src}'),
      verifier: text,
      gnu: `stx${s} [%{dst}{off}],%{src}`,
      conformance: `stx${s} [%r{dst}{off}], %r{src}`,
    },
  })
}

/** Atomic operations in `imm`; FETCH is the lowest bit (RFC 9669 section 5.3). */
const operations = { add: 0x00, or: 0x40, and: 0x50, xor: 0xa0 } as const
const fetch = 0x01
const xchg = 0xe0 | fetch
const cmpxchg = 0xf0 | fetch
/** enum in include/linux/filter.h: BPF_LOAD_ACQ and BPF_STORE_REL. */
const loadAcquire = 0x100
const storeRelease = 0x110

type Width = 32 | 64

/** Operands of an atomic operation as GNU writes them. */
const gnuOperands = '[%{dst}{off}],%{src}'

const atomicFields = { dst: 'any', src: 'any', off: 'any' } as const

function atomicRow<const N extends string, const W extends Width>(
  name: N,
  width: W,
  imm: number,
  text: (r: string, type: string, suffix: string) => InsnText,
): InsnRow<`${N}${W}`> {
  const wideText = width === 64
  return row(`${name}${width}`, mode('atomic') | size(wideText ? 'dw' : 'w') | cls('stx'), {
    ...atomicFields,
    imm,
    group: wideText ? 'atomic64' : 'atomic32',
    source: atomic,
    text: text(wideText ? 'r' : 'w', wideText ? 'u64' : 'u32', wideText ? '64' : ''),
  })
}

function atomics<const N extends keyof typeof operations, const W extends Width>(
  name: N,
  symbol: string,
  width: W,
): readonly InsnRow<`atomic_${N}${W}` | `atomic_fetch_${N}${W}`>[] {
  const narrow = width === 32 ? '32' : ''
  return [
    atomicRow(`atomic_${name}`, width, operations[name], (r, type) => ({
      // llvm-objdump knows the 32-bit addition of old, and prints it with r unless it was told of 32-bit registers.
      llvm: `lock *(${type} *)(r{dst} {off}) ${symbol} ${width === 32 && name === 'add' ? '{r32}' : r}{src}`,
      verifier: `lock *(${type} *)(r{dst} {off}) ${symbol} r{src}`,
      // binutils 2.41 knows the addition by both names.
      gnu:
        name === 'add'
          ? `xadd${width === 32 ? 'w' : 'dw'} ${gnuOperands}`
          : `a${name}${narrow} ${gnuOperands}`,
      conformance: `lock ${name}${narrow} [%r{dst}{off}], %r{src}`,
      ...(name === 'add' ? { also: { gnu: `aadd${narrow} ${gnuOperands}` } } : {}),
    })),
    atomicRow(`atomic_fetch_${name}`, width, operations[name] | fetch, (r, type, suffix) => ({
      llvm: `${r}{src} = atomic_fetch_${name}((${type} *)(r{dst} {off}), ${r}{src})`,
      verifier: `r{src} = atomic${suffix}_fetch_${name}((${type} *)(r{dst} {off}), r{src})`,
      gnu: `af${name}${narrow} ${gnuOperands}`,
      conformance: `lock fetch ${name}${narrow} [%r{dst}{off}], %r{src}`,
    })),
  ]
}

function exchanges<const W extends Width>(
  width: W,
): readonly InsnRow<`atomic_xchg${W}` | `atomic_cmpxchg${W}`>[] {
  const narrow = width === 32 ? '32' : ''
  return [
    atomicRow('atomic_xchg', width, xchg, (r, type, suffix) => ({
      llvm: `${r}{src} = xchg${width === 64 ? '_64' : '32_32'}(r{dst} {off}, ${r}{src})`,
      verifier: `r{src} = atomic${suffix}_xchg((${type} *)(r{dst} {off}), r{src})`,
      gnu: `axchg${narrow} ${gnuOperands}`,
      conformance: `lock xchg${narrow} [%r{dst}{off}], %r{src}`,
    })),
    atomicRow('atomic_cmpxchg', width, cmpxchg, (r, type, suffix) => ({
      llvm: `${r}0 = cmpxchg${width === 64 ? '_64' : '32_32'}(r{dst} {off}, ${r}0, ${r}{src})`,
      verifier: `r0 = atomic${suffix}_cmpxchg((${type} *)(r{dst} {off}), r0, r{src})`,
      gnu: `acmp${narrow} ${gnuOperands}`,
      conformance: `lock cmpxchg${narrow} [%r{dst}{off}], %r{src}`,
    })),
  ]
}

const acquireSource = 'include/linux/filter.h, BPF_LOAD_ACQ and BPF_STORE_REL; Linux 6.15'

function loadAcq<const S extends Size>(s: S): InsnRow<`load_acq_${S}`> {
  const r = s === 'dw' ? 'r' : 'w'
  return row(`load_acq_${s}`, mode('atomic') | size(s) | cls('stx'), {
    ...atomicFields,
    imm: loadAcquire,
    group: undefined,
    source: acquireSource,
    text: {
      llvm: `${r}{dst} = load_acquire((${unsigned[s]} *)(r{src} {off}))`,
      verifier: `r{dst} = load_acquire((${unsigned[s]} *)(r{src} {off}))`,
      gnu: `load_acq_${s} %{dst},[%{src}{off}]`,
      conformance: `load_acq_${s} %r{dst}, [%r{src}{off}]`,
    },
  })
}

function storeRel<const S extends Size>(s: S): InsnRow<`store_rel_${S}`> {
  const r = s === 'dw' ? 'r' : 'w'
  return row(`store_rel_${s}`, mode('atomic') | size(s) | cls('stx'), {
    ...atomicFields,
    imm: storeRelease,
    group: undefined,
    source: acquireSource,
    text: {
      llvm: `store_release((${unsigned[s]} *)(r{dst} {off}), ${r}{src})`,
      verifier: `store_release((${unsigned[s]} *)(r{dst} {off}), r{src})`,
      gnu: `store_rel_${s} ${gnuOperands}`,
      conformance: `store_rel_${s} [%r{dst}{off}], %r{src}`,
    },
  })
}

/** A wide load; `src` says what the 64 bits stand for until the kernel has put an address there. */
function lddw<const N extends string>(name: N, pseudo: number): InsnRow<N> {
  return row(name, mode('imm') | size('dw') | cls('ld'), {
    dst: 'any',
    src: pseudo,
    imm: 'any',
    wide: true,
    group: 'base64',
    source: wide,
    text: {
      llvm: pseudo === 0 ? 'r{dst} = {imm64} ll' : `ld_pseudo\tr{dst}, {pseudo}, {uimm64}`,
      verifier: 'r{dst} = {imm64}',
      gnu: 'lddw %{dst},{imm64}',
      conformance: `lddw %r{dst}, ${pseudo === 0 ? '' : `${name.replace('lddw_', '')} `}{uimm64}`,
    },
  })
}

function packetAbs<const S extends 'b' | 'h' | 'w'>(s: S): InsnRow<`ld_abs_${S}`> {
  const text = `r0 = *(${unsigned[s]} *)skb[{imm}]`
  return row(`ld_abs_${s}`, mode('abs') | size(s) | cls('ld'), {
    imm: 'any',
    group: 'packet',
    source: legacy,
    text: { llvm: text, verifier: text, gnu: `ldabs${s} {imm}`, conformance: `ldabs${s} {imm}` },
  })
}

function packetInd<const S extends 'b' | 'h' | 'w'>(s: S): InsnRow<`ld_ind_${S}`> {
  return row(`ld_ind_${s}`, mode('ind') | size(s) | cls('ld'), {
    src: 'any',
    imm: 'any',
    group: 'packet',
    source: legacy,
    text: {
      llvm: `r0 = *(${unsigned[s]} *)skb[r{src}]`,
      verifier: `r0 = *(${unsigned[s]} *)skb[r{src} + {imm}]`,
      gnu: `ldind${s} %{src},{imm}`,
      conformance: `ldind${s} %r{src}, {imm}`,
    },
  })
}

/** Loads, stores and atomic operations. */
export const memoryRows = [
  ldx('b'),
  ldx('h'),
  ldx('w'),
  ldx('dw'),
  ldxs('b'),
  ldxs('h'),
  ldxs('w'),
  st('b'),
  st('h'),
  st('w'),
  st('dw'),
  stx('b'),
  stx('h'),
  stx('w'),
  stx('dw'),
  ...atomics('add', '+=', 32),
  ...atomics('add', '+=', 64),
  ...atomics('or', '|=', 32),
  ...atomics('or', '|=', 64),
  ...atomics('and', '&=', 32),
  ...atomics('and', '&=', 64),
  ...atomics('xor', '^=', 32),
  ...atomics('xor', '^=', 64),
  ...exchanges(32),
  ...exchanges(64),
  loadAcq('b'),
  loadAcq('h'),
  loadAcq('w'),
  loadAcq('dw'),
  storeRel('b'),
  storeRel('h'),
  storeRel('w'),
  storeRel('dw'),
  lddw('lddw', 0),
  lddw('lddw_map_fd', 1),
  lddw('lddw_map_value', 2),
  lddw('lddw_btf_id', 3),
  lddw('lddw_func', 4),
  lddw('lddw_map_idx', 5),
  lddw('lddw_map_idx_value', 6),
  packetAbs('b'),
  packetAbs('h'),
  packetAbs('w'),
  packetInd('b'),
  packetInd('h'),
  packetInd('w'),
] as const
