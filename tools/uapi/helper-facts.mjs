/**
 * Helper functions: number and name from the list of the header (`___BPF_FUNC_MAPPER`) and the BTF, return type and
 * parameters from the line that declares each helper.
 */
export function readHelpers(header, kernel) {
  const mapper = /#define ___BPF_FUNC_MAPPER\(FN, ctx\.\.\.\)([\s\S]*?)\n\n/.exec(header)?.[1]
  if (mapper === undefined) throw new Error('bpf.h has no ___BPF_FUNC_MAPPER')
  const prototypes = readPrototypes(header)
  const rows = [...mapper.matchAll(/FN\((\w+),\s*(\d+),/g)].map(([, name, value]) => {
    const prototype = prototypes.get(name)
    if (prototype === undefined && name !== 'unspec') throw new Error(`bpf_${name} has no prototype`)
    return {
      name,
      value: Number(value),
      kernel: `BPF_FUNC_${name}`,
      ...(prototype ?? { returns: 'void', params: [] }),
    }
  })
  for (const { name, value } of kernel.enumeration('bpf_func_id')) {
    const short = name.replace(/^BPF_FUNC_/, '')
    if (name.startsWith('__')) continue
    if (rows.find((row) => row.name === short)?.value !== Number(value)) {
      throw new Error(`${name} is ${value} in the BTF and not so in the header`)
    }
  }
  return rows
}

/** `long bpf_name(type name, …)`, as the manual page's input has it: a line of its own, less indented than its text. */
function readPrototypes(header) {
  const prototypes = new Map()
  for (const [, returns, star, name, list] of header.matchAll(
    /^ \* ([a-z][\w ]*?)\s+(\**)bpf_(\w+)\(([^)]*)\)$/gm,
  )) {
    const params = list.trim() === 'void' ? [] : list.split(',').map(readParam)
    const prototype = { returns: star === '' ? returns : `${returns} ${star}`, params }
    if (!prototypes.has(name)) prototypes.set(name, prototype)
  }
  return prototypes
}

function readParam(text) {
  const param = text.trim().replace(/\s+/g, ' ')
  if (param === '...') return { name: '...', type: '...' }
  const [, type, star, name] = /^(.*?)\s*(\**)\s*(\w+)$/.exec(param) ?? []
  if (name === undefined) throw new Error(`cannot read the parameter "${param}"`)
  return { name, type: star === '' ? type : `${type} ${star}` }
}
