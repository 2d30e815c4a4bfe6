import { mapFlags } from '@tsbpf/uapi'

/** Names of the flags that are set, lowest bit first; an unknown one prints as `map_flag(1048576)`. */
export function mapFlagNames(flags: number): readonly string[] {
  const names: string[] = []
  for (let bit = 0; bit < 32; bit++) {
    const flag = (flags & (1 << bit)) >>> 0
    if (flag !== 0) names.push(mapFlags.format(flag))
  }
  return names
}
