import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isTsbpfError } from '@tsbpf/base'
import { parseObject } from '@tsbpf/object'
import type { ObjectSpec } from '@tsbpf/object'
import { corpusDir } from '@tsbpf/testkit'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folders = [
  'examples/syscount',
  'packages/object/test/golden',
  'packages/core-reloc/test/golden/bpf',
  'packages/tsbpf/test/golden/objects',
]

/** An object of the project, or of the corpus where it is there. */
export interface NamedObject {
  readonly name: string
  readonly spec: ObjectSpec
}

function open(path: string): readonly NamedObject[] {
  const name = basename(path)
  try {
    return [{ name, spec: parseObject(readFileSync(path), { name }) }]
  } catch (error) {
    // The corpus has files that are no objects for libbpf, too.
    if (isTsbpfError(error)) return []
    throw error
  }
}

/** Objects that clang has made. */
export function objects(): readonly NamedObject[] {
  const own = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
  )
  const corpus = corpusDir()
  const others =
    corpus === undefined
      ? []
      : readdirSync(join(corpus, 'cilium-ebpf'), { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.elf'))
          .map((name) => join(corpus, 'cilium-ebpf', name))
  return [...own.filter((path) => path.endsWith('.o')), ...others].sort().flatMap(open)
}

/** A spec as plain data, its types one after the other. */
export function plain(spec: ObjectSpec): unknown {
  const { btf, ...rest } = spec
  const types =
    btf === undefined
      ? []
      : Array.from({ length: btf.endId - btf.firstId }, (_, i) => btf.type(btf.firstId + i))
  return JSON.parse(
    JSON.stringify({ types, ...rest }, (_key, value: unknown) => {
      if (typeof value === 'bigint') return `${value}n`
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    }),
  )
}
