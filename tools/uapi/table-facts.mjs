/** Rows of one table: `{ name, value, kernel, path, from }`, in the order of the header, then those only the BTF has. */
export function readTable(subject, constants, kernel, reloSource) {
  const bound = /^(__)?(MAX_|NR_)|_MAX$|^__/
  const header = subject.kernelOnly
    ? []
    : subject.enumeration !== undefined
      ? constants.enumNames(subject.enumeration)
      : subject.siblings !== undefined
        ? constants.names(
            'include/uapi/linux/bpf.h',
            new RegExp(
              `^(${kernel
                .siblings(subject.siblings)
                .map((row) => row.name)
                .join('|')})$`,
            ),
          )
        : namesOf(subject.names, constants)
  const newer =
    subject.enumeration !== undefined
      ? (kernel.enumeration(subject.enumeration) ?? [])
      : subject.siblings !== undefined
        ? kernel.siblings(subject.siblings)
        : []
  const spelled = subject.coreRelocations ? coreRelocationNames(reloSource) : undefined
  const rowName = (name) => (spelled === undefined ? subject.row(name) : spelled.get(name))
  const rows = []
  for (const name of header) {
    if (bound.test(name)) continue
    const value = constants.value(name)
    const inBtf = kernel.enumerator(name)
    // A name that both know must have one number: uapi never changes.
    if (inBtf !== undefined && inBtf !== value && BigInt.asUintN(32, inBtf) !== BigInt.asUintN(32, value)) {
      throw new Error(`${name} is ${value} in the header and ${inBtf} in the BTF`)
    }
    rows.push({
      name: rowName(name),
      value: Number(value),
      kernel: name,
      path: constants.path(name),
      from: 'header',
    })
  }
  const path = subject.path ?? rows[0]?.path
  for (const { name, value } of newer) {
    if (bound.test(name) || rows.some((row) => row.kernel === name)) continue
    rows.push({ name: rowName(name), value: Number(value), kernel: name, path, from: 'btf' })
  }
  const nameless = rows.find((row) => row.name === undefined)
  if (nameless !== undefined) throw new Error(`${nameless.kernel} has no name`)
  return { label: subject.label, rows: preferCurrent(rows) }
}

/** An enumerator's deprecated spelling comes after its present one, so that the number prints as the present one. */
function preferCurrent(rows) {
  const sorted = [...rows]
  for (const row of rows) {
    const old = sorted.findIndex((other) => other.kernel === `${row.kernel}_DEPRECATED`)
    if (old < 0) continue
    const [moved] = sorted.splice(old, 1)
    sorted.splice(sorted.indexOf(row) + 1, 0, moved)
  }
  return sorted
}

/** Names as given; a pattern takes the names of the header before it. */
function namesOf(list, constants) {
  const names = []
  let path
  for (const item of list) {
    if (item instanceof RegExp) names.push(...constants.names(path, item))
    else if (item.includes('/')) path = item
    else names.push(item)
  }
  return [...new Set(names)]
}

/** Constants by kernel name alone. */
export function readConstants(list, constants, kernel) {
  return namesOf(list, constants).map((name) => {
    const value = constants.value(name)
    const inBtf = kernel.enumerator(name)
    if (inBtf !== undefined && BigInt.asUintN(32, inBtf) !== BigInt.asUintN(32, value)) {
      throw new Error(`${name} is ${value} in the header and ${inBtf} in the BTF`)
    }
    return { name, value: Number(value), path: constants.path(name) }
  })
}

/** The words of libbpf's debug log for kinds of CO-RE relocation. */
function coreRelocationNames(source) {
  return new Map(
    [...source.matchAll(/case (BPF_CORE_\w+): return "(\w+)";/g)].map(([, kind, word]) => [kind, word]),
  )
}
