import { attachesItself, attachStructOps, UsdtSpecs } from '@tsbpf/link'
import type { Link } from '@tsbpf/link'
import { btfCodecs, mapFromFd, openPerfBuffer, openRingBuffer } from '@tsbpf/maps'
import type { BpfMap, PerfBuffer, RingBuffer } from '@tsbpf/maps'
import type { ObjectSpec, ProgramSpec } from '@tsbpf/object'
import type { CoreResult } from '@tsbpf/core-reloc'
import type { Sys } from '@tsbpf/sys'
import { dataMemory } from './data-memory.ts'
import type { DataMemory } from './data-memory.ts'
import type { CreatedMap } from './create-maps.ts'
import { errors } from './errors.ts'
import { dataMap } from './initial-data.ts'
import { LoadedProgram } from './loaded-program.ts'
import { withDecoder } from './record-decoder.ts'
import type { LoadedPerfOptions, LoadedRingOptions } from './record-decoder.ts'
import { Variable } from './variable.ts'

/** What {@link LoadedObject} is made of; it takes the descriptors over. */
export interface LoadedParts {
  readonly spec: ObjectSpec
  readonly maps: readonly CreatedMap[]
  readonly programs: readonly { readonly fd: number; readonly spec: ProgramSpec; readonly log: string }[]
  readonly relocations: readonly CoreResult[]
}

/**
 * An object in the kernel: its programs, maps and global variables.
 *
 * It owns them: disposing it detaches the links that {@link LoadedObject.attach} made, and closes programs and maps.
 * Links made by `program(…).attach()` belong to the caller; what they attach goes on until they are detached.
 * A wrong name is an error that lists the names and the nearest. Use after dispose is LOADER_DISPOSED.
 */
export class LoadedObject implements Disposable, AsyncDisposable {
  /** The object as it was loaded: relocated. */
  readonly spec: ObjectSpec
  /** What became of each CO-RE relocation. */
  readonly relocations: readonly CoreResult[]
  /** Loaded programs, in file order. */
  readonly programs: readonly LoadedProgram[]
  readonly #sys: Sys
  readonly #created: readonly CreatedMap[]
  readonly #maps = new Map<string, BpfMap>()
  readonly #memories = new Map<string, DataMemory>()
  /** Descriptors that are closed already, because their handle could not be made. */
  readonly #lost = new Set<number>()
  readonly #links: Link[] = []
  #usdt: UsdtSpecs | undefined
  readonly #rings: Disposable[] = []
  #disposed = false

  /** Made by {@link load}. */
  constructor(sys: Sys, parts: LoadedParts) {
    this.spec = parts.spec
    this.relocations = parts.relocations
    const specs = (): UsdtSpecs | undefined => this.#usdtSpecs()
    this.programs = parts.programs.map(({ fd, spec, log }) => new LoadedProgram(sys, fd, spec, log, specs))
    this.#sys = sys
    this.#created = parts.maps
  }

  /** The loaded program of that name. Throws LOADER_UNKNOWN_PROGRAM, LOADER_PROGRAM_NOT_LOADED. */
  program(name: string): LoadedProgram {
    this.#live()
    const program = this.programs.find((one) => one.name === name)
    if (program !== undefined) return program
    const known = this.spec.programs.map((one) => one.name)
    if (known.includes(name)) throw errors.LOADER_PROGRAM_NOT_LOADED({ name })
    throw errors.LOADER_UNKNOWN_PROGRAM({ name, known })
  }

  /**
   * The map of that name, with keys and values decoded by BTF; `K` and `V` are the caller's word for their types.
   * A data section is a map, too, under its section name. Throws LOADER_UNKNOWN_MAP.
   */
  map<K = unknown, V = unknown>(name: string): BpfMap<K, V> {
    this.#live()
    let map = this.#maps.get(name)
    if (map === undefined) {
      const created = this.#created.find((one) => one.spec.name === name && !this.#lost.has(one.fd))
      if (created === undefined) {
        throw errors.LOADER_UNKNOWN_MAP({ name, known: this.#created.map((one) => one.spec.name) })
      }
      map = this.#open(created)
      this.#maps.set(name, map)
    }
    return map as unknown as BpfMap<K, V>
  }

  /** All maps in the order of the object, data sections included. */
  get maps(): readonly BpfMap[] {
    return this.#created.map((one) => this.map(one.spec.name))
  }

  /**
   * The ring buffer of that name, to be read: its records as values of `options.type`, a type that the object's BTF
   * names, as `options.decode` makes them, or of the type that the map's definition gives for values (`__type(value,
   * struct event)`); as bytes where there is none. The object owns it; each call opens another reader, and only one
   * should read at a time. Throws LOADER_UNKNOWN_MAP, BTF_NO_TYPE, LOADER_NO_TYPES, `RING_…`.
   *
   * @example
   * ```ts no-run
   * for await (const event of bpf.ringBuffer('events', { type: 'event' })) console.log(event)
   * ```
   */
  ringBuffer<T = unknown>(name: string, options: LoadedRingOptions<T> = {}): RingBuffer<T> {
    const ring = openRingBuffer<T>(this.#sys, this.map(name), withDecoder(this.spec, name, options))
    this.#rings.push(ring)
    return ring
  }

  /**
   * The perf event array of that name, to be read; samples are decoded as those of {@link LoadedObject.ringBuffer}.
   * The object owns it. Throws LOADER_UNKNOWN_MAP, BTF_NO_TYPE, LOADER_NO_TYPES, `RING_…`.
   *
   * @example
   * ```ts no-run
   * bpf.perfBuffer('events', { type: 'event' }).listen((event, cpu) => console.log(cpu, event))
   * ```
   */
  perfBuffer<T = unknown>(name: string, options: LoadedPerfOptions<T> = {}): PerfBuffer<T> {
    const buffer = openPerfBuffer<T>(this.#sys, this.map(name), withDecoder(this.spec, name, options))
    this.#rings.push(buffer)
    return buffer
  }

  /** Where its programs look up what a USDT probe's arguments are, where it has that from libbpf's usdt.bpf.h. */
  #usdtSpecs(): UsdtSpecs | undefined {
    const name = '__bpf_usdt_specs'
    if (this.spec.maps.some((map) => map.name === name)) this.#usdt ??= new UsdtSpecs(this.map<number>(name))
    return this.#usdt
  }

  /**
   * The memory of an arena (kernel 6.9): page 0 first, the very bytes that programs use, mapped until the object is
   * disposed. The kernel maps an arena once in a process, so that `map(name).memory()` of it is refused.
   * Throws LOADER_UNKNOWN_MAP.
   */
  arena(name: string): Uint8Array {
    this.#live()
    const mapping = this.#created.find((one) => one.spec.name === name)?.mapping
    if (mapping === undefined) {
      const known = this.#created.filter((one) => one.mapping !== undefined).map((one) => one.spec.name)
      throw errors.LOADER_UNKNOWN_MAP({ name, known })
    }
    return new Uint8Array(mapping.memory)
  }

  /** The global variable of that name; `T` is the caller's word for its type. Throws LOADER_UNKNOWN_VARIABLE. */
  variable<T = unknown>(name: string): Variable<T> {
    this.#live()
    const variable = this.variables.find((one) => one.name === name)
    if (variable === undefined) {
      const known = this.spec.variables.map((one) => one.name)
      throw errors.LOADER_UNKNOWN_VARIABLE({ name, known, where: 'the object' })
    }
    return variable as Variable<T>
  }

  /** All global variables. */
  get variables(): readonly Variable[] {
    return this.spec.variables.flatMap((variable) => {
      const memory = this.#memory(variable.section)
      return memory === undefined ? [] : [new Variable(this.spec, variable, memory)]
    })
  }

  /**
   * Attaches every loaded program whose section name says where, and every struct_ops map, all or none; the object owns the links and detaches
   * them when it is disposed. Throws `LINK_…`.
   */
  attach(): readonly Link[] {
    this.#live()
    const links: Link[] = []
    try {
      for (const program of this.programs) {
        const spec = this.spec.programs.find((one) => one.name === program.name)
        if (spec !== undefined && attachesItself(spec)) links.push(program.attach())
      }
      for (const { structOps, spec } of this.#created) {
        if (structOps !== undefined) links.push(this.attachStructOps(spec.name))
      }
    } catch (error) {
      for (const link of links) link.detach()
      throw error
    }
    this.#links.push(...links)
    return links
  }

  /**
   * Registers the operations of a struct_ops map: with a link where the object asks for one (section
   * `.struct_ops.link`, kernel 6.4), else until the link that this gives is detached, also when this process has ended.
   * The caller owns the link. Throws LOADER_UNKNOWN_MAP, LINK_DENIED, LINK_REFUSED.
   *
   * @example
   * ```ts no-run
   * using link = bpf.attachStructOps('my_congestion_control')
   * ```
   */
  attachStructOps(name: string): Link {
    this.#live()
    const ops = this.#created.filter((one) => one.structOps !== undefined)
    const map = ops.find((one) => one.spec.name === name)
    if (map?.structOps === undefined) {
      throw errors.LOADER_UNKNOWN_MAP({ name, known: ops.map((one) => one.spec.name) })
    }
    const value = new Uint8Array(map.structOps.value)
    for (const { program, at } of map.structOps.programs) {
      const fd = this.programs.find((one) => one.name === program)?.fd
      if (fd !== undefined) new DataView(value.buffer).setUint32(at, fd, true)
    }
    return attachStructOps(this.#sys, { fd: map.fd, name }, value)
  }

  /** Detaches the object's own links, and closes programs and maps. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const link of this.#links) link.detach()
    for (const ring of this.#rings) ring[Symbol.dispose]()
    for (const program of this.programs) program.dispose()
    for (const memory of this.#memories.values()) memory.dispose()
    for (const { fd, spec, mapping } of this.#created) {
      mapping?.unmap()
      const map = this.#maps.get(spec.name)
      if (map !== undefined) map.dispose()
      else if (!this.#lost.has(fd)) this.#sys.close(fd)
    }
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
    return Promise.resolve()
  }

  #live(): void {
    if (this.#disposed) throw errors.LOADER_DISPOSED({ what: 'the object' })
  }

  #memory(section: string): DataMemory | undefined {
    const known = this.#memories.get(section)
    if (known !== undefined) return known
    const name = dataMap(
      this.#created.map((one) => one.spec),
      section,
    )?.name
    const created = this.#created.find((one) => one.spec.name === name)
    if (created === undefined) return undefined
    const memory = dataMemory(this.#sys, created, () => this.#live())
    this.#memories.set(section, memory)
    return memory
  }

  #open({ fd, spec }: CreatedMap): BpfMap {
    const codecs = btfCodecs(this.spec.btf, spec)
    try {
      return mapFromFd(this.#sys, fd, spec, codecs)
    } catch (error) {
      this.#lost.add(fd)
      throw error
    }
  }
}
