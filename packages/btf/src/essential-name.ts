const underscore = 0x5f

/**
 * The name without its flavour: up to the last `___` with no further underscore on either side of it and something
 * before and after it (`bpf_core_essential_name_len` of libbpf): `task_struct___v61` is `task_struct`.
 *
 * @example
 * ```ts
 * import { essentialName } from '@tsbpf/btf'
 * console.log(essentialName('task_struct___v61')) // task_struct
 * ```
 */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (
      name.charCodeAt(i + 1) === underscore &&
      name.charCodeAt(i + 2) === underscore &&
      name.charCodeAt(i + 3) === underscore &&
      name.charCodeAt(i) !== underscore &&
      name.charCodeAt(i + 4) !== underscore
    ) {
      return name.slice(0, i + 1)
    }
  }
  return name
}
