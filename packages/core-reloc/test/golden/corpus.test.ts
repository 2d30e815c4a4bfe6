import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { parseBtf } from '@tsbpf/btf'
import type { ObjectSpec } from '@tsbpf/object'
import { parseObject } from '@tsbpf/object'
import { corpusDir, corpusMissing } from '@tsbpf/testkit'
import { describe, expect, it } from 'vitest'
import { relocate } from '../../src/index.ts'

const corpus = corpusDir()
const pinned = join(import.meta.dirname, '../../../testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')

/** Undefined for what is not meant to be opened. */
function open(path: string): ObjectSpec | undefined {
  try {
    return parseObject(readFileSync(path))
  } catch {
    return undefined
  }
}

describe.skipIf(corpus === undefined)(
  corpus === undefined
    ? `objects of both byte orders [not run: ${corpusMissing}]`
    : 'objects of both byte orders',
  () => {
    it('are relocated alike, but for the shifts of bitfields', () => {
      const targets = [{ name: 'vmlinux', btf: parseBtf(gunzipSync(readFileSync(pinned))) }]
      let compared = 0
      for (const folder of ['testdata', 'btf/testdata']) {
        const path = join(corpus ?? '', 'cilium-ebpf', folder)
        for (const name of readdirSync(path).filter((file) => file.endsWith('-el.elf'))) {
          const little = open(join(path, name))
          const big = open(join(path, name.replace('-el.', '-eb.')))
          if (little?.btf === undefined || big?.btf === undefined) continue
          const own = (spec: ObjectSpec) => [{ name: 'own', btf: spec.btf ?? targets[0]!.btf }]
          const decisions = (spec: ObjectSpec, to: typeof targets) =>
            relocate(spec, { targets: to }).results.map(
              ({ program, insn, kind, access, accessText, ...rest }) => [
                program,
                insn,
                kind,
                access,
                accessText,
                rest.status,
                kind === 'lshift_u64' ? undefined : [rest.oldValue, rest.newValue],
                rest.error?.code,
              ],
            )
          const expected = decisions(little, targets)
          expect(decisions(big, targets), name).toEqual(expected)
          expect(decisions(big, own(big)), name).toEqual(decisions(little, own(little)))
          compared += expected.length
        }
      }
      expect(compared).toBeGreaterThan(50)
    })
  },
)
