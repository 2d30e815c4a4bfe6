/**
 * The text of a printer's chunks.
 *
 * @example
 * ```ts
 * import { joinChunks, parseBtf, printC } from '@tsbpf/btf'
 * import { readFile } from 'node:fs/promises'
 * const kernel = parseBtf(await readFile('/sys/kernel/btf/vmlinux'))
 * console.log(joinChunks(printC(kernel, { roots: ['struct list_head'] })))
 * ```
 */
export function joinChunks(chunks: Iterable<string>): string {
  let text = ''
  for (const chunk of chunks) text += chunk
  return text
}
