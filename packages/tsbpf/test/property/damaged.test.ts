import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mutations } from '@tsbpf/testkit'
import { afterAll, describe, expect, it } from 'vitest'
import { main } from '../../src/main.ts'
import { schemaProblems } from '../support/schema.ts'
import { testIo } from '../support/test-io.ts'

const objects = ['../golden/objects/many.bpf.o', '../../../../examples/syscount/syscount.bpf.o'].map((name) =>
  // A Buffer's own slice would be a view, and each mutation would build on the last.
  Uint8Array.from(readFileSync(new URL(name, import.meta.url))),
)
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-damaged-'))
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const commands = [
  { command: 'inspect', args: [] },
  { command: 'disasm', args: [] },
  { command: 'core-reloc', args: ['--target', 'self'] },
] as const

describe.each(commands)('$command of a damaged object', ({ command, args }) => {
  it(
    'prints a document of its schema or a coded error, and nothing of both',
    { timeout: 60_000 },
    async () => {
      const file = join(folder, `${command}.o`)
      const codes = new Map<string, number>()
      for (const [seed, object] of objects.entries()) {
        for (const { what, bytes } of mutations(object, seed + 1, 200)) {
          writeFileSync(file, bytes)
          const io = testIo()
          const argv = [command, file, ...args.map((arg) => (arg === 'self' ? file : arg)), '--json']
          const code = await main(argv, io)
          const error = /^error\[(\w+)\]: /.exec(io.err())?.[1] ?? ''
          codes.set(`${code} ${error}`, (codes.get(`${code} ${error}`) ?? 0) + 1)
          expect(error, what).not.toBe('CLI_INTERNAL')
          if (code === 0) expect(io.err(), what).toBe('')
          else
            expect({ code, error }, what).toEqual({
              code: 1,
              error: expect.stringMatching(/^[A-Z_]+$/) as string,
            })
          if (io.out() !== '') expect(schemaProblems(command, JSON.parse(io.out())), what).toBeUndefined()
          else expect(code, what).toBe(1)
        }
      }
      // Both must have happened, or this shows nothing.
      expect(codes.get('0 ')).toBeGreaterThan(20)
      expect(codes.size).toBeGreaterThan(3)
    },
  )
})
