import { bpfStackBuildId, buildIdStatuses } from '@tsbpf/uapi'
import type { ElementCodec } from '../element-codec.ts'
import { errors } from '../errors.ts'
import type { KernelSymbols } from './kernel-symbols.ts'
import type { UserSymbols } from './user-symbols.ts'

/** A place in a file that is known by its build, as a stack trace map made with BPF_F_STACK_BUILD_ID has it. */
export interface BuildIdPlace {
  /** Hexadecimal digits. */
  readonly buildId: string
  /** Bytes from the start of the file. */
  readonly offset: bigint
}

/** A frame of a stack with its symbol, innermost first; see {@link symbolizeStack}. */
export interface StackFrame {
  /** Address of the instruction, in outer frames of the one after the call; `undefined` where only the build is known. */
  readonly address: bigint | undefined
  /** The function; `undefined` where it is not known. */
  readonly name: string | undefined
  /** Bytes from the start of the function. */
  readonly offset: number | undefined
  /** The kernel's module, or the file of the process; `undefined` for the kernel itself and where it is not known. */
  readonly module: string | undefined
  /** Bytes from the start of the file; `undefined` in the kernel. */
  readonly fileOffset: number | undefined
}

const readOnly = (): never => {
  throw errors.MAP_ELEMENT_SIZE({ expected: 'nothing: only programs write stacks', actual: 'a stack' })
}

/**
 * Values of a `stack_trace` map as addresses, innermost first: as many as the stack has. `depth` is what the map was made
 * with: its value size divided by 8, at most 127 unless kernel.perf_event_max_stack says otherwise.
 *
 * @example
 * ```ts no-run
 * import { indexCodec, openMap, stackCodec } from '@tsbpf/maps'
 * using stacks = openMap(sys, { path: '/sys/fs/bpf/stacks' }, { codecs: { key: indexCodec, value: stackCodec(127) } })
 * console.log(stacks.get(id)) // [ 18446744071579140000n, … ]
 * ```
 */
export function stackCodec(depth: number): ElementCodec<readonly bigint[]> {
  return {
    size: depth * 8,
    decode(view, offset) {
      const addresses: bigint[] = []
      for (let i = 0; i < depth; i++) {
        const address = view.getBigUint64(offset + i * 8, true)
        if (address === 0n) break
        addresses.push(address)
      }
      return addresses
    },
    encodeInto: readOnly,
  }
}

/**
 * Values of a `stack_trace` map made with BPF_F_STACK_BUILD_ID (kernel 4.17): a place in a build for each frame whose
 * file has a build id, an address for others. `depth` is the value size divided by 32.
 */
export function buildIdStackCodec(depth: number): ElementCodec<readonly (bigint | BuildIdPlace)[]> {
  const { size } = bpfStackBuildId
  return {
    size: depth * size,
    decode(view, offset) {
      const frames: (bigint | BuildIdPlace)[] = []
      for (let i = 0; i < depth; i++) {
        const row = bpfStackBuildId.readAt(view, offset + i * size, true)
        if (row.status === buildIdStatuses.value('valid')) {
          const digits = Array.from(row.build_id, (byte) => byte.toString(16).padStart(2, '0'))
          frames.push({ buildId: digits.join(''), offset: row.offset })
        } else if (row.status === buildIdStatuses.value('ip') && row.ip !== 0n) frames.push(row.ip)
        else break
      }
      return frames
    },
    encodeInto: readOnly,
  }
}

/** The upper half of the address space is the kernel's (x86-64, arm64). */
const firstOfKernel = 1n << 63n

/**
 * Names the frames of a stack: addresses of the kernel by `kernel`, those of a process by `user`, places in builds by
 * the files that `user` has mapped. What neither knows is a frame without a name. In outer frames, which hold return
 * addresses, the call before the address is looked up: it may be the last instruction of its function.
 *
 * @example
 * ```ts no-run
 * import { formatFrame, kernelSymbols, symbolizeStack } from '@tsbpf/maps'
 * const kernel = kernelSymbols(sys)
 * for (const frame of symbolizeStack(stacks.get(id) ?? [], { kernel })) console.log(formatFrame(frame))
 * ```
 */
export function symbolizeStack(
  stack: readonly (bigint | BuildIdPlace)[],
  sources: { readonly kernel?: KernelSymbols; readonly user?: UserSymbols },
): readonly StackFrame[] {
  const frames: StackFrame[] = []
  for (const [depth, place] of stack.entries()) {
    if (place === 0n) break
    const back = depth === 0 ? 0 : 1
    if (typeof place === 'bigint' && place >= firstOfKernel) {
      const symbol = sources.kernel?.find(place - BigInt(back))
      const offset = symbol === undefined ? undefined : symbol.offset + back
      frames.push({
        address: place,
        name: symbol?.name,
        offset,
        module: symbol?.module,
        fileOffset: undefined,
      })
      continue
    }
    const found =
      typeof place === 'bigint'
        ? sources.user?.find(place - BigInt(back))
        : sources.user?.findInBuild(place.buildId, Number(place.offset) - back)
    frames.push({
      address: typeof place === 'bigint' ? place : undefined,
      name: found?.name,
      offset: found?.offset === undefined ? undefined : found.offset + back,
      module: found?.file,
      fileOffset: found === undefined ? undefined : found.fileOffset + back,
    })
  }
  return frames
}

/** A frame as one line: `vfs_read+0x9b`, `nft_do_chain+0x1f [nf_tables]`, `main+0x12 (/usr/bin/app)`, `0x7f12 (libc.so)`. */
export function formatFrame({ address, name, offset, module, fileOffset }: StackFrame): string {
  const hex = (value: number | bigint): string => `0x${value.toString(16)}`
  const inFile = fileOffset !== undefined
  const place = inFile ? `+${hex(fileOffset)}` : address === undefined ? '?' : hex(address)
  const what = name === undefined ? place : `${name}+${hex(offset ?? 0)}`
  if (module === undefined) return what
  return inFile ? `${what} (${module})` : `${what} [${module}]`
}
