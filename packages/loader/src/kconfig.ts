import { enumerator } from '@tsbpf/btf'
import type { Btf } from '@tsbpf/btf'
import type { ExternSpec, KconfigSlot, ObjectSpec } from '@tsbpf/object'
import { layoutKconfig } from '@tsbpf/object'
import type { Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import { parseKernelConfig, runningKernelConfig, runningKernelVersion } from './kernel-config.ts'
import type { LazyKernelBtf } from './kernel-btf.ts'

/** What the values of kconfig externs come from. */
export interface KconfigSources {
  readonly sys: () => Sys
  readonly kernel: LazyKernelBtf
  /** Values that go before the running kernel's, as lines of a configuration: `CONFIG_HZ=250`. */
  readonly given: string | undefined
}

/** Functions that system calls go through since 4.17, by architecture (LINUX_HAS_SYSCALL_WRAPPER). */
const wrappers = ['__x64_sys_bpf', '__arm64_sys_bpf']

/**
 * The bytes of the map `.kconfig`; `undefined` where the object has none. Reads the kernel's configuration only for a
 * value that it is needed for. Throws LOADER_NO_KERNEL_CONFIG, LOADER_KCONFIG_MISSING, LOADER_KCONFIG_VALUE.
 */
export function kconfigData(spec: ObjectSpec, sources: KconfigSources): Uint8Array | undefined {
  const { btf } = spec
  if (btf === undefined) return undefined
  const { size, slots } = layoutKconfig(spec.externs, btf)
  if (size === 0) return undefined
  const bytes = new Uint8Array(size)
  const given = parseKernelConfig(sources.given ?? '')
  let running: ReadonlyMap<string, string> | undefined
  for (const extern of spec.externs) {
    const slot = slots.get(extern.name)
    if (extern.kind !== 'kconfig' || slot === undefined) continue
    const { name } = extern
    const value =
      given.get(name) ??
      virtualValue(name, sources) ??
      (name.startsWith('CONFIG_')
        ? (running ??= parseKernelConfig(runningKernelConfig(sources.sys()))).get(name)
        : undefined)
    if (value !== undefined) putValue(btf, extern, slot, value, bytes)
    else if (!extern.weak) throw errors.LOADER_KCONFIG_MISSING({ name })
  }
  return bytes
}

/** Values that libbpf makes up about the running kernel (bpf_object__resolve_externs). */
function virtualValue(name: string, { sys, kernel }: KconfigSources): string | undefined {
  const flag = (has: boolean): string => (has ? '1' : '0')
  switch (name) {
    case 'LINUX_KERNEL_VERSION':
      return String(runningKernelVersion(sys()))
    case 'LINUX_HAS_BPF_COOKIE':
      return flag(enumerator(kernel.get(name), 'BPF_FUNC_get_attach_cookie', 'bpf_func_id') !== undefined)
    case 'LINUX_HAS_SYSCALL_WRAPPER':
      return flag(wrappers.some((wrapper) => kernel.get(name).find(wrapper, 'func') !== undefined))
    default:
      return undefined
  }
}

function putValue(btf: Btf, extern: ExternSpec, slot: KconfigSlot, text: string, bytes: Uint8Array): void {
  const { name } = extern
  const type = btf.resolve(slot.type)
  const fail = (expected: string): Error => errors.LOADER_KCONFIG_VALUE({ name, value: text, expected })
  const view = new DataView(bytes.buffer, slot.offset, slot.size)
  const tristate = ['n', 'y', 'm'].indexOf(text)
  if (type.kind === 'array') {
    const quoted = /^"(.*)"$/s.exec(text)
    if (quoted === null) throw fail('text in quotes, as the variable is an array of characters')
    // Cut to fit, always with an end, as libbpf does.
    bytes.set(new TextEncoder().encode(quoted[1]).subarray(0, slot.size - 1), slot.offset)
  } else if (type.kind === 'enum' || type.kind === 'enum64') {
    if (tristate < 0) throw fail('y, n or m')
    view.setUint8(0, tristate) // TRI_NO, TRI_YES, TRI_MODULE; little-endian
  } else if (type.kind === 'int' && type.bool) {
    const number = tristate === 0 || text === '0' ? 0 : tristate === 1 || text === '1' ? 1 : undefined
    if (number === undefined) throw fail('y or n')
    view.setUint8(0, number)
  } else if (type.kind === 'int') {
    if (tristate >= 0) {
      if (slot.size !== 1) throw fail('a number')
      view.setUint8(0, text.charCodeAt(0))
      return
    }
    if (!/^-?(?:0x[\da-f]+|\d+)$/i.test(text)) throw fail('a number')
    const number = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
    const bits = slot.size * 8
    const fits = type.signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)
    if (fits !== number) throw fail(`a number of ${bits} bits, ${type.signed ? 'signed' : 'unsigned'}`)
    for (let i = 0; i < slot.size; i++) view.setUint8(i, Number((number >> BigInt(8 * i)) & 0xffn))
  }
}
