import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseElf } from '../../src/index.ts'

const corpus = corpusDir()
const root = join(corpus ?? '', 'cilium-ebpf')
const objects = corpus === undefined ? [] : readdirSync(root, { recursive: true, encoding: 'utf8' })

/** In the corpus a link of the repository is a file that holds its target's name. */
const isLink = (bytes: Uint8Array): boolean => bytes.length < 64

describe.skipIf(corpus === undefined)(
  `objects of cilium/ebpf${corpus === undefined ? ` [not run: ${corpusMissing}]` : ''}`,
  () => {
    const names = objects.filter((name) => name.endsWith('.elf') && !isLink(readFileSync(join(root, name))))

    it('are there in both byte orders', () => {
      expect(names.filter((name) => name.endsWith('-eb.elf')).length).toBeGreaterThan(25)
      expect(names.filter((name) => name.endsWith('-el.elf')).length).toBeGreaterThan(25)
    })

    it.each(names)('%s is read whole', (name) => {
      const elf = parseElf(readFileSync(join(root, name)), { name })
      expect([elf.machine, elf.type, elf.littleEndian]).toEqual([247, 1, !name.endsWith('-eb.elf')])
      expect(elf.sections.map((section) => section.name)).toContain('.symtab')
      expect(elf.symbols.length).toBeGreaterThan(1)
      for (const section of elf.sections) {
        for (const { symbol } of elf.relocations(section)) expect(elf.symbols[symbol]).toBeDefined()
      }
    })

    it.each(names.filter((name) => name.endsWith('-el.elf')))(
      '%s says the same in the other byte order',
      (name) => {
        const other = name.replace('-el.elf', '-eb.elf')
        if (!names.includes(other)) return
        const [little, big] = [name, other].map((file) => {
          const elf = parseElf(readFileSync(join(root, file)), { name: file })
          const globals = elf.symbols.filter((symbol) => symbol.binding !== 'local')
          return {
            sections: elf.sections.map((section) => [section.name, section.type]),
            symbols: globals.map(({ name: symbol, type, binding, size, value }) => [
              symbol,
              type,
              binding,
              size,
              value,
            ]),
          }
        })
        expect(big).toEqual(little)
      },
    )
  },
)
