import { errors } from './errors.ts'
import type { UsdtArgumentSpec } from './usdt-arguments.ts'

/** A value of the map `__bpf_usdt_specs`, as the object's BTF lays it out: its members depend on libbpf's version. */
export interface UsdtSpec {
  readonly args: readonly Readonly<Record<string, unknown>>[]
  readonly usdt_cookie: bigint
  readonly arg_cnt: number
}

/** The map `__bpf_usdt_specs` of an object, with values decoded by the object's BTF; a `BpfMap` is one. */
export interface UsdtSpecMap {
  readonly name: string
  readonly maxEntries: number
  get(id: number): unknown
  set(id: number, spec: unknown): void
}

/** A type of places that `bpf_usdt_arg` does not know: it answers -EINVAL. */
const unreadable = 0xff

/**
 * Numbers of the places where programs look up what a USDT probe's arguments are (`__bpf_usdt_specs` of libbpf's
 * usdt.bpf.h). All USDT programs of an object share one. The map stays the caller's.
 */
export class UsdtSpecs {
  readonly #map: UsdtSpecMap
  readonly #free: number[] = []
  #next = 0

  constructor(map: UsdtSpecMap) {
    this.#map = map
  }

  /**
   * Writes where arguments are, and gives the number under which a program finds that. Throws LINK_USDT_FULL and
   * LINK_USDT_ARGUMENTS.
   */
  add(
    args: readonly (UsdtArgumentSpec | undefined)[],
    cookie: bigint,
    probe: { readonly program: string; readonly target: string },
  ): number {
    const { name, maxEntries } = this.#map
    const id = this.#free.at(-1) ?? this.#next
    if (id >= maxEntries) throw errors.LINK_USDT_FULL({ ...probe, map: name, maxEntries })
    const empty = this.#map.get(id) as UsdtSpec
    if (args.length > empty.args.length) {
      throw errors.LINK_USDT_ARGUMENTS({ ...probe, count: args.length, limit: empty.args.length })
    }
    this.#map.set(id, {
      args: empty.args.map((old, i) => (i < args.length ? described(old, args[i]) : old)),
      usdt_cookie: cookie,
      arg_cnt: args.length,
    })
    if (this.#free.pop() === undefined) this.#next++
    return id
  }

  /** Gives numbers back that no attached program has any more. */
  release(ids: readonly number[]): void {
    this.#free.push(...ids)
  }
}

/** Members that the object's version has; an argument that takes others cannot be read. */
function described(
  old: Readonly<Record<string, unknown>>,
  argument: UsdtArgumentSpec | undefined,
): Readonly<Record<string, unknown>> {
  const known = argument !== undefined && Object.keys(argument).every((member) => Object.hasOwn(old, member))
  return known ? { ...old, ...argument } : { ...old, arg_type: unreadable }
}
