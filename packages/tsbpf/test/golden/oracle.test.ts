import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { main } from '../../src/main.ts'
import { schemaProblems } from '../support/schema.ts'
import { testIo } from '../support/test-io.ts'

interface Golden {
  readonly programs: readonly {
    readonly name: string
    readonly section: string
    readonly type: string
    readonly attachType: string
    readonly attachTypeValue: number
    readonly insns: number
    readonly autoload: boolean
  }[]
  readonly maps: readonly {
    readonly name: string
    readonly type: string
    readonly keySize: number
    readonly valueSize: number
    readonly maxEntries: number
    readonly flags: number
    readonly pinPath: string | null
  }[]
  readonly patches: readonly {
    readonly program: string
    readonly insn: number
    readonly kind: string
    readonly oldValue: string
    readonly newValue: string
    readonly target: { readonly id: number; readonly kind: string; readonly name: string }
  }[]
  readonly functions: readonly {
    readonly name: string
    readonly insns: readonly (readonly [string, string])[]
  }[]
}

/** Objects and, in the file of that name, what llvm-objdump and libbpf say of them; record.mjs records it. */
const objects = [
  { name: 'many', object: './objects/many.bpf.o' },
  { name: 'syscount', object: '../../../../examples/syscount/syscount.bpf.o' },
].map(({ name, object }) => ({
  name,
  object: fileURLToPath(new URL(object, import.meta.url)),
  golden: JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), 'utf8')) as Golden,
}))

async function json(argv: readonly string[]): Promise<unknown> {
  const io = testIo()
  const code = await main([...argv, '--json'], io)
  expect({ code, err: io.err() }).toEqual({ code: 0, err: '' })
  return JSON.parse(io.out())
}

interface Inspected {
  readonly programs: readonly Record<string, unknown>[]
  readonly maps: readonly Record<string, unknown>[]
}

describe.each(objects)('inspect $name', ({ name, object, golden }) => {
  it('sees the programs that libbpf sees', async () => {
    const { programs } = (await json(['inspect', object])) as Inspected
    expect(
      programs.map(({ name, section, type, attachType, insns, autoload }) => {
        return { name, section: String(section).replace('?', ''), type, attachType, insns, autoload }
      }),
    ).toEqual(
      golden.programs.map(({ name, section, type, attachType, attachTypeValue, insns, autoload }) => {
        return { name, section, type, attachType: attachTypeValue === 0 ? null : attachType, insns, autoload }
      }),
    )
  })

  it('sees the maps that libbpf sees', async () => {
    const { maps } = (await json(['inspect', object])) as Inspected
    const byName = (a: { name: unknown }, b: { name: unknown }) => (String(a.name) < String(b.name) ? -1 : 1)
    expect(
      maps
        .map(({ name, type, keySize, valueSize, maxEntries, flags, pinning }) => {
          return { name, type, keySize, valueSize, maxEntries, flags, pinned: pinning === 'by_name' }
        })
        .sort(byName),
    ).toEqual(
      golden.maps
        .map(({ name: theirs, type, keySize, valueSize, maxEntries, flags, pinPath }) => {
          // libbpf puts the object's name before that of a plain data section.
          const short = theirs.startsWith(`${name}.`) ? theirs.slice(name.length) : theirs
          return { name: short, type, keySize, valueSize, maxEntries, flags, pinned: pinPath !== null }
        })
        .sort(byName),
    )
  })

  it('prints what its schema says', async () => {
    expect(schemaProblems('inspect', await json(['inspect', object]))).toBeUndefined()
  })
})

interface Disassembled {
  readonly program: string
  readonly insns: readonly { readonly index: number; readonly bytes: string; readonly text: string }[]
}

describe.each(objects)('disasm $name', ({ object, golden }) => {
  it('prints every instruction as llvm-objdump does, functions in its order', async () => {
    const functions = (await json(['disasm', object, '--dialect', 'llvm'])) as readonly Disassembled[]
    expect(
      functions.map(({ program, insns }) => ({ name: program, insns: insns.map((i) => [i.bytes, i.text]) })),
    ).toEqual(golden.functions)
  })

  it('prints the same as text, line for line', async () => {
    const io = testIo()
    expect(await main(['disasm', object, '--source'], io)).toBe(0)
    const lines = [...io.out().matchAll(/^ +\d+:\t([0-9a-f ]+)\t(.*)$/gm)].map(([, bytes, text]) => [
      bytes,
      text,
    ])
    expect(lines).toEqual(golden.functions.flatMap((fn) => fn.insns))
  })

  it.each(['llvm', 'verifier'])('prints what its schema says in the dialect %s', async (dialect) => {
    const functions = (await json(['disasm', object, '--dialect', dialect])) as readonly Disassembled[]
    expect(schemaProblems('disasm', functions)).toBeUndefined()
    for (const { insns } of functions) {
      let index = 0
      for (const insn of insns) {
        expect(insn.index).toBe(index)
        index += insn.bytes.split(' ').length / 8
      }
    }
  })
})

interface Relocated {
  readonly relocations: readonly (Golden['patches'][number] & {
    readonly targetType: Golden['patches'][number]['target']
  })[]
}

const pinned = fileURLToPath(
  new URL('../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz', import.meta.url),
)

describe('core-reloc syscount', () => {
  const { object, golden } = objects.find(({ name }) => name === 'syscount')!

  it('changes what libbpf changes for the pinned kernel', async () => {
    const document = (await json(['core-reloc', object, '--target', pinned])) as Relocated
    expect(schemaProblems('core-reloc', document)).toBeUndefined()
    expect(golden.patches.length).toBeGreaterThan(0)
    expect(
      document.relocations.map(({ program, insn, kind, oldValue, newValue, targetType }) => {
        const { id, kind: typeKind, name } = targetType
        return { program, insn, kind, oldValue, newValue, target: { id, kind: typeKind, name } }
      }),
    ).toEqual(golden.patches)
  })

  it('takes the target raw, packed and in an ELF file', async () => {
    const expected = await json(['core-reloc', object, '--target', pinned])
    const folder = mkdtempSync(join(tmpdir(), 'tsbpf-target-'))
    try {
      const raw = join(folder, 'vmlinux-6.12-debian-amd64.btf')
      writeFileSync(raw, gunzipSync(readFileSync(pinned)))
      expect(await json(['core-reloc', object, '--target', raw])).toEqual(expected)
    } finally {
      rmSync(folder, { recursive: true })
    }
    // Its own BTF gives the values that it was compiled with.
    const { relocations } = (await json(['core-reloc', object, '--target', object])) as Relocated
    expect(relocations.map(({ newValue }) => newValue)).toEqual(
      golden.patches.map(({ oldValue }) => oldValue),
    )
  })

  it('explains each relocation', async () => {
    const io = testIo()
    expect(await main(['core-reloc', object, '--target', pinned], io)).toBe(0)
    expect(io.out()).toContain('struct task_struct.real_parent (0:1 @ offset 8)')
    expect(io.out()).toMatch(/resolved: 8 -> 2448/)
    expect(io.out()).toMatch(/2 relocations: 2 resolved, 0 poisoned, 0 failed\n$/)
  })
})
