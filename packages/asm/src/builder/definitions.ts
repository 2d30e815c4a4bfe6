import type { MapFlagName, MapTypeName } from '@tsbpf/uapi'
import { traceOf } from './call-site.ts'
import type { Trace } from './call-site.ts'
import type { CType } from './c-type.ts'
import type { FunctionBody } from './insn-builder.ts'

/** A label of its own, for code that is added more than once; made by {@link newLabel}. */
export interface UniqueLabel {
  readonly kind: 'label'
  /** For messages. */
  readonly name: string
}

/**
 * Makes a label that is equal to no other, whatever its name: for functions that add code to a builder, and may be called
 * twice for one.
 *
 * @example
 * ```ts
 * import { buildInsns, newLabel, r0, type InsnBuilder } from '@tsbpf/asm'
 * const clampToTen = (b: InsnBuilder): InsnBuilder => {
 *   const done = newLabel('done')
 *   return b.jle(r0, 10, done).mov(r0, 10).label(done)
 * }
 * const insns = buildInsns((b) => clampToTen(clampToTen(b.mov(r0, 11))).exit())
 * ```
 */
export function newLabel(name = 'label'): UniqueLabel {
  return { kind: 'label', name }
}

/** Parameters by name, in order, and what is returned; `int` unless given. */
export interface Signature {
  readonly params?: Readonly<Record<string, CType>>
  readonly returns?: CType | 'void'
}

/** A function that the kernel enters; made by {@link program}. */
export interface Program {
  readonly kind: 'program'
  readonly name: string
  readonly section: string
  readonly signature: Signature
  readonly body: FunctionBody
  readonly trace: Trace
}

/** A function that others call; made by {@link subprogram}. */
export interface Subprogram {
  readonly kind: 'subprogram'
  readonly name: string
  readonly signature: Signature
  readonly linkage: 'static' | 'global'
  readonly body: FunctionBody
  readonly trace: Trace
}

/**
 * Defines a program: a function that the kernel enters. `section` says what it is for, as libbpf reads it
 * (`tracepoint/raw_syscalls/sys_enter`, `xdp`, with `?` in front to switch autoload off). Nothing happens before a
 * `build…` function is given it: `body` is called then, once.
 *
 * @example
 * ```ts
 * import { program, r0 } from '@tsbpf/asm'
 * const pass = program('pass', 'xdp', (b) => b.mov(r0, 2).exit())
 * ```
 */
export function program(
  name: string,
  section: string,
  body: FunctionBody,
  signature: Signature = {},
): Program {
  return { kind: 'program', name, section, signature, body, trace: traceOf(program) }
}

/**
 * Defines a subprogram: `b.call(it)` calls it, `b.lddw(r2, it)` loads its address, for helpers that call back. It joins
 * every object and every code that refers to it. A global one is verified alone, by its signature; a static one with
 * each caller. Minimum kernel: 4.16, for callbacks 5.13, for global ones 5.6.
 *
 * @example
 * ```ts
 * import { buildInsns, r0, r1, subprogram, u64 } from '@tsbpf/asm'
 * const double = subprogram('double', (b) => b.mov(r0, r1).add(r0, r1).exit(), { params: { x: u64 }, returns: u64 })
 * const insns = buildInsns((b) => b.mov(r1, 21).call(double).exit())
 * ```
 */
export function subprogram(
  name: string,
  body: FunctionBody,
  signature: Signature & { readonly linkage?: 'static' | 'global' } = {},
): Subprogram {
  const { linkage = 'static' } = signature
  return { kind: 'subprogram', name, signature, linkage, body, trace: traceOf(subprogram) }
}

/** A kernel function; made by {@link kfunc}. */
export interface Kfunc {
  readonly kind: 'kfunc'
  readonly name: string
  readonly signature: Signature
  readonly weak: boolean
  readonly trace: Trace
}

/**
 * Names a kernel function that programs may call, with the signature that the kernel's BTF has for it. The loader
 * finds it there; a weak one may be missing. Minimum kernel: 5.13.
 *
 * @example
 * ```ts
 * import { kfunc } from '@tsbpf/asm'
 * const lock = kfunc('bpf_rcu_read_lock', { returns: 'void' })
 * ```
 */
export function kfunc(name: string, signature: Signature & { readonly weak?: boolean } = {}): Kfunc {
  return { kind: 'kfunc', name, signature, weak: signature.weak ?? false, trace: traceOf(kfunc) }
}

/** What {@link map} is given. */
export interface MapOptions {
  /** Kernel spelling in lower case: `percpu_array`. */
  readonly type: MapTypeName
  /** Type of the key, or its bytes where it has none; a map without keys has neither. */
  readonly key?: CType | number
  /** Type of the value, or its bytes. */
  readonly value?: CType | number
  readonly maxEntries?: number
  /** Kernel spellings in lower case: `no_prealloc`. */
  readonly flags?: readonly MapFlagName[]
  /** `map_extra`: what it says depends on the type. */
  readonly extra?: number | bigint
  readonly numaNode?: number
  readonly pinning?: 'by_name'
  /** What the maps in a map of maps are like. */
  readonly inner?: MapDefinition
  /** Initial entries by index: maps of a map of maps, programs of a prog array. */
  readonly values?: readonly (MapDefinition | Program | undefined)[]
}

/** A map; made by {@link map}. */
export interface MapDefinition {
  readonly kind: 'map'
  readonly name: string
  readonly options: MapOptions
  readonly trace: Trace
}

/**
 * Defines a map: `b.lddw(r1, it)` loads its address for helpers. Types of key and value go into the object's BTF, so that
 * loaders and `bpftool map dump` can print them. It joins every object that refers to it.
 *
 * @example
 * ```ts
 * import { map, u32, u64 } from '@tsbpf/asm'
 * const counts = map('counts', { type: 'hash', key: u32, value: u64, maxEntries: 10_240 })
 * ```
 */
export function map(name: string, options: MapOptions): MapDefinition {
  return { kind: 'map', name, options, trace: traceOf(map) }
}

/** A place inside a global variable; made by `variable.at(4)`. */
export interface GlobalPlace {
  readonly kind: 'place'
  readonly global: Global
  /** Bytes from its start. */
  readonly offset: number
}

/** What {@link global} is given. */
export interface GlobalOptions {
  /**
   * Section that holds it: `.data`, `.rodata` (the loader may set it before the load, nothing changes it later), `.bss`,
   * or one of these with a name behind it (`.data.mine`). `.data` unless given, `.bss` without a value.
   */
  readonly section?: `.${'data' | 'rodata' | 'bss'}${'' | `.${string}`}`
  /** Initial value, as the codec of `@tsbpf/btf` takes it: a number or bigint, an array, an object. Zeroes unless given. */
  readonly value?: unknown
}

/** A global variable; made by {@link global}. */
export interface Global {
  readonly kind: 'global'
  readonly name: string
  readonly type: CType
  readonly section: string
  readonly value: unknown
  readonly trace: Trace
  at(offset: number): GlobalPlace
}

/**
 * Defines a global variable: `b.lddw(r1, it)` loads its address, `it.at(8)` is a place inside. User space sees it too.
 * It joins every object that refers to it. Minimum kernel: 5.2.
 *
 * @example
 * ```ts
 * import { global, u32, u64 } from '@tsbpf/asm'
 * const seen = global('seen', u64)
 * const target = global('target_pid', u32, { section: '.rodata', value: 1 })
 * ```
 */
export function global(name: string, type: CType, options: GlobalOptions = {}): Global {
  const { value, section = value === undefined ? '.bss' : '.data' } = options
  const variable: Global = {
    kind: 'global',
    name,
    type,
    section,
    value,
    trace: traceOf(global),
    at: (offset) => ({ kind: 'place', global: variable, offset }),
  }
  return variable
}
