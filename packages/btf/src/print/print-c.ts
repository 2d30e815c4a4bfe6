import type { Btf } from '../btf-type.ts'
import { cWriter } from './c-writer.ts'
import type { CWriter } from './c-writer.ts'
import { cEmitter } from './c-emit.ts'
import { cLayout } from './c-layout.ts'
import { cNames } from './c-names.ts'
import { cOrder } from './c-order.ts'
import { cTypes } from './c-types.ts'
import type { CTypes } from './c-types.ts'
import { addSorted } from './c-sort.ts'
import { cSteps } from './c-steps.ts'
import { flatBtf, isNamed } from './flat-btf.ts'
import { definers, kindDeclTag, kindFunc } from './kind-numbers.ts'
import { chunkSize, makePen } from './pen.ts'
import type { Pen } from './pen.ts'
import { resolveRoot } from './roots.ts'
import type { BtfRoot } from './roots.ts'

/** Options of {@link printC}. */
export interface PrintCOptions {
  /** Only these types, and what they need; all types, and prototypes of kfuncs, unless given. */
  readonly roots?: readonly BtfRoot[]
  /**
   * Order of the definitions, as far as C leaves one: `name`, the default, is bpftool's, and changes little from kernel
   * to kernel; `id` is that of the BTF, and bpftool's `unsorted`.
   */
  readonly order?: 'name' | 'id'
}

const head = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

`

const foot = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`

/**
 * A C header with the types of a BTF and of its bases, a `vmlinux.h`, in chunks of about 64 KiB. Types have in it the
 * size and layout that the BTF says, by packing, padding and alignment where C would lay them out otherwise; of
 * several types of one name the second is `name___2`.
 *
 * The text is that of `bpftool btf dump file FILE format c` (bpftool 7.5) but where that has another layout than the
 * BTF or leaves a type out: bpftool loses the first type of its sorted order, gives `va_list` the size it has on BPF,
 * enums of 2 bytes 4 of them, and bitfields of the older encoding whole ints.
 *
 * Throws `BTF_CYCLE` for types that contain themselves, `BTF_REFERENCE` and `BTF_STRING` for those that refer to what
 * is not there, `BTF_NO_TYPE` for a root that is not found, and `BTF_PRINT` when the text grows beyond 64 times
 * the types (or 4 MiB, whichever is more).
 *
 * @example
 * ```ts
 * import { joinChunks, parseBtf, printC } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(joinChunks(printC(kernel, { roots: ['struct list_head'] })))
 * ```
 */
export function printC(btf: Btf, options: PrintCOptions = {}): Generator<string, void, undefined> {
  return cText(btf, options, 0)
}

/** See {@link printC}; of all types by name, the first `lost` are left out, as bpftool leaves out one. */
export function* cText(btf: Btf, options: PrintCOptions, lost: number): Generator<string, void, undefined> {
  const { roots, order = 'name' } = options
  const flat = cTypes(flatBtf(btf))
  const pen = makePen(flat.strings, flat.words.byteLength)
  const steps = cSteps(flat)
  const typeOrder = cOrder(flat, steps)
  if (roots !== undefined) for (const root of roots) typeOrder.add(resolveRoot(btf, root))
  else if (order === 'name') addSorted(flat, steps, typeOrder, lost)
  else for (let id = 1; id < flat.endId; id++) if (definers[flat.kinds[id] ?? 0] === 1) typeOrder.add(id)

  const writer = cWriter(flat, pen, steps, cNames(flat, steps), cLayout(flat))
  const emit = cEmitter(flat, pen, steps, writer)
  pen.text(head)
  const { queue } = typeOrder
  // An iterator would make an object for each.
  for (let at = 0, end = queue.length; at < end; at++) {
    emit(queue[at] ?? 0)
    if (pen.waiting() >= chunkSize) yield pen.take()
  }
  if (roots === undefined) yield* kfuncs(flat, pen, writer)
  pen.text(foot)
  yield pen.take()
}

/** Prototypes of the functions that are tagged as kfuncs. */
function* kfuncs(flat: CTypes, pen: Pen, writer: CWriter): Generator<string, void, undefined> {
  const { words, starts, kinds, strings } = flat
  pen.text('\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n')
  for (let id = kinds.indexOf(kindDeclTag); id >= 0; id = kinds.indexOf(kindDeclTag, id + 1)) {
    const start = starts[id] ?? 0
    if (words[start + 3] !== 0xffff_ffff || !isNamed(strings, words[start] ?? 0, 'bpf_kfunc')) continue
    const func = words[start + 2] ?? 0
    if (kinds[func] !== kindFunc) continue
    const at = starts[func] ?? 0
    pen.text('extern ')
    writer.declare(words[at + 2] ?? 0, words[at] ?? 0)
    pen.text(' __weak __ksym;\n')
    if (pen.waiting() >= chunkSize) yield pen.take()
  }
  pen.text('#endif\n\n')
}
