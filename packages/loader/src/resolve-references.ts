import { InsnView } from '@tsbpf/isa'
import { layoutKconfig } from '@tsbpf/object'
import type { LinkedProgram, ObjectSpec } from '@tsbpf/object'
import { pseudo } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import type { ModuleBtf } from './kernel-modules.ts'
import type { ResolvedKsym } from './ksyms.ts'

/** What the symbolic operands of a program stand for on this kernel. */
export interface ReferenceTargets {
  readonly spec: ObjectSpec
  /** Descriptors of the maps by name. */
  readonly fds: ReadonlyMap<string, number>
  /** Ksyms and kfuncs by name. */
  readonly ksyms: ReadonlyMap<string, ResolvedKsym>
  /** A descriptor of a module's BTF, opened once. */
  readonly moduleFd: (module: ModuleBtf, what: string) => number
}

/** Instructions that the kernel can read. */
export interface ResolvedInsns {
  readonly insns: Uint8Array
  /** Descriptors of modules' BTF, whose indexes are in calls of kfuncs; index 0 is none. */
  readonly fdArray: readonly number[]
}

/** What the verifier names when a missing weak kfunc is called (libbpf's POISON_CALL_KFUNC_BASE). */
export const missingKfunc = 2_002_000_000

/**
 * Puts descriptors and type ids into a linked program's instructions, in a copy: `BPF_PSEUDO_MAP_FD` for maps,
 * `BPF_PSEUDO_MAP_VALUE` and the offset for data and kconfig values, `BPF_PSEUDO_BTF_ID` for typed ksyms,
 * `BPF_PSEUDO_KFUNC_CALL` for kfuncs (libbpf's bpf_object__relocate_data). `tables` has descriptors of the program's
 * jump tables by name.
 */
export function resolveReferences(
  program: LinkedProgram,
  targets: ReferenceTargets,
  tables: ReadonlyMap<string, number>,
): ResolvedInsns {
  const { spec, fds, ksyms, moduleFd } = targets
  const fdArray: number[] = []
  const indexOf = (fd: number): number => {
    // The first place stands for the kernel itself (libbpf's fd_array).
    if (fdArray.length === 0) fdArray.push(0)
    const at = fdArray.indexOf(fd, 1)
    return at >= 0 ? at : fdArray.push(fd) - 1
  }
  const insns = new Uint8Array(program.insns)
  const view = new InsnView(insns, { littleEndian: program.byteOrder === 'little' })
  const fail = (insn: number, what: string): Error =>
    errors.LOADER_BAD_REFERENCE({ program: program.name, insn, what })
  const putWide = (insn: number, source: number, low: number, high: number): void => {
    if (insn >= view.count || !view.isWide(insn))
      throw fail(insn, 'it refers to a map or symbol, but is no wide load')
    view.setSrc(insn, source)
    view.setImm(insn, low)
    view.setImm(insn + 1, high)
  }
  const putMap = (insn: number, name: string, offset: number | undefined): void => {
    const fd = fds.get(name)
    if (fd === undefined) throw fail(insn, `it refers to map ${name}, which is not there`)
    putWide(insn, pseudo.value(offset === undefined ? 'map_fd' : 'map_value'), fd, offset ?? 0)
  }
  let slots: ReturnType<typeof layoutKconfig>['slots'] | undefined
  for (const { insn, ref } of program.relocations) {
    if (ref.kind === 'map') putMap(insn, ref.name, undefined)
    else if (ref.kind === 'data') putMap(insn, ref.map, ref.offset)
    else if (ref.kind === 'jump_table')
      putWide(insn, pseudo.value('map_value'), tables.get(ref.name) ?? -1, 0)
    else if (ref.kind === 'extern') {
      const index = spec.externs.findIndex(({ name }) => name === ref.name)
      const ksym = ksyms.get(ref.name)
      if (spec.externs[index]?.kind === 'kconfig' && spec.btf !== undefined) {
        slots ??= layoutKconfig(spec.externs, spec.btf).slots
        putMap(insn, '.kconfig', slots.get(ref.name)?.offset ?? 0)
      } else if (ksym === undefined) {
        throw fail(insn, `it refers to extern ${ref.name}, which the object does not declare`)
      } else if (ref.use === 'address') {
        const module = ksym.kind === 'btf' ? ksym.module : undefined
        const [low, high] =
          ksym.kind === 'address'
            ? halves(ksym.address)
            : ksym.kind === 'btf'
              ? [ksym.id, module === undefined ? 0 : moduleFd(module, `ksym ${ref.name}`)]
              : [0, 0]
        putWide(insn, ksym.kind === 'btf' ? pseudo.value('btf_id') : 0, low, high)
      } else if (ksym.kind === 'btf') {
        view.setSrc(insn, pseudo.value('kfunc_call'))
        view.setImm(insn, ksym.id)
        const { module } = ksym
        view.setOff(insn, module === undefined ? 0 : indexOf(moduleFd(module, `kfunc ${ref.name}`)))
      } else {
        view.setSrc(insn, 0)
        view.setImm(insn, missingKfunc + index)
      }
    }
  }
  return { insns, fdArray }
}

const halves = (value: bigint): [number, number] => [
  Number(BigInt.asIntN(32, value)),
  Number(BigInt.asIntN(32, value >> 32n)),
]
