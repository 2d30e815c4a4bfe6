/**
 * libbpf's table of section names (`section_defs`), in its order: the first row that matches a section's name counts.
 * `match` is `exact` (the name alone), `optional` (the name, or the name with `/extra`) or `required` (`name/extra`).
 */
export function readSections(source, versionSource, path) {
  const table = /static const struct bpf_sec_def section_defs\[\] = \{([\s\S]*?)\n\};/.exec(source)?.[1]
  if (table === undefined) throw new Error(`${path} has no section_defs`)
  const aliases = new Map([['SEC_ATTACHABLE_OPT', ['SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT']]])
  const rows = [
    ...table.matchAll(
      /SEC_DEF\(\s*"([^"]+)"\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*([\w\s|]+?)\s*(?:,\s*(\w+)\s*)?\)/g,
    ),
  ].map(([, name, progType, attachType, flagText, attach]) => {
    const flags = new Set(flagText.split('|').flatMap((flag) => aliases.get(flag.trim()) ?? [flag.trim()]))
    flags.delete('SEC_NONE')
    const known = [
      'SEC_EXP_ATTACH_OPT',
      'SEC_ATTACHABLE',
      'SEC_ATTACH_BTF',
      'SEC_SLEEPABLE',
      'SEC_XDP_FRAGS',
      'SEC_USDT',
    ]
    for (const flag of flags) if (!known.includes(flag)) throw new Error(`${path}: ${flag} is not known`)
    const last = name.at(-1)
    return {
      prefix: last === '+' || last === '/' ? name.slice(0, -1) : name,
      match: last === '+' ? 'optional' : last === '/' ? 'required' : 'exact',
      progType: progType.toLowerCase(),
      attachType: attachType === '0' ? null : attachType.replace(/^BPF_/, '').toLowerCase(),
      flags: known.filter((flag) => flags.has(flag)).map((flag) => flag.slice('SEC_'.length).toLowerCase()),
      attach: attach === undefined ? null : attach.replace(/^attach_/, ''),
    }
  })
  const count = table.match(/SEC_DEF\(/g)?.length
  if (rows.length !== count) throw new Error(`${path}: read ${rows.length} of ${count} sections`)
  const part = (name) => new RegExp(`#define LIBBPF_${name}_VERSION (\\d+)`).exec(versionSource)?.[1]
  return { path, libbpf: `${part('MAJOR')}.${part('MINOR')}`, rows }
}
