import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { testIo } from '../test/support/test-io.ts'
import { dialects as known } from '@tsbpf/isa'
import { dialects } from './command-line.ts'
import { main } from './main.ts'

describe('usage', () => {
  it.each([
    { argv: [], text: /Usage: tsbpf/ },
    { argv: ['inspcet', 'x.o'], text: /unknown command 'inspcet'.*inspect/ },
    { argv: ['inspect'], text: /missing required argument 'OBJ'/ },
    { argv: ['inspect', 'a.o', 'b.o'], text: /too many arguments/ },
    { argv: ['inspect', 'a.o', '--jsno'], text: /unknown option '--jsno'.*--json/ },
    { argv: ['disasm', 'a.o', '--dialect', 'intel'], text: /llvm, verifier/ },
    { argv: ['disasm', 'a.o', '--program'], text: /argument missing/ },
    { argv: ['run', 'a.o', '--duration', 'soon'], text: /number of seconds/ },
    { argv: ['run', 'a.o', '--duration', '0'], text: /number of seconds/ },
    { argv: ['run', 'a.o', '--duration', '1e9'], text: /number of seconds/ },
    { argv: ['run', 'a.o', '--duration', '99999999'], text: /number of seconds/ },
  ])('$argv is wrong: exit 2, nothing on stdout', async ({ argv, text }) => {
    const io = testIo()
    expect(await main(argv, io)).toBe(2)
    expect(io.out()).toBe('')
    expect(io.err()).toMatch(text)
    if (argv.length > 0)
      expect(io.err()).toMatch(/^error\[CLI_USAGE\]: .*\nhint: tsbpf.* --help shows how\n$/)
  })

  it.each([
    [['btf', 'min-core', 'a.o'], 'tsbpf btf min-core'],
    [['btf', 'nope'], 'tsbpf btf'],
    [['check', 'a.o'], 'tsbpf check'],
    [['nope'], 'tsbpf'],
  ])('%j: the hint leads to the help of that command', async (argv, command) => {
    const io = testIo()
    expect(await main(argv, io)).toBe(2)
    expect(io.err()).toMatch(new RegExp(`\nhint: ${command} --help shows how\n$`))
  })

  it.each([[['--help']], [['help']], [['-h']]])('%s prints the help to stdout', async (argv) => {
    const io = testIo()
    expect(await main(argv, io)).toBe(0)
    expect(io.err()).toBe('')
    expect(io.out()).toContain('Examples:')
  })

  it('offers exactly the commands that exist', async () => {
    const io = testIo()
    await main(['--help'], io)
    const commands = [...io.out().matchAll(/^ {2}([a-z-]+) .*(<|\[)/gm)].map((match) => match[1])
    const known = ['inspect', 'disasm', 'asm', 'core-reloc', 'check', 'run', 'leftovers', 'help']
    expect(commands).toEqual(known)
  })

  it.each(['inspect', 'disasm', 'asm', 'core-reloc', 'check', 'run', 'leftovers'])(
    '%s --help has an example',
    async (command) => {
      const io = testIo()
      expect(await main([command, '--help'], io)).toBe(0)
      expect(io.out()).toMatch(new RegExp(`Examples:\\n  \\$ (sudo )?tsbpf ${command}\\b`))
    },
  )

  it('offers exactly the dialects that exist', () => {
    expect(dialects).toEqual(known)
  })

  it('prints the version of the package', async () => {
    const io = testIo()
    expect(await main(['--version'], io)).toBe(0)
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(io.out()).toBe(`${manifest.version}\n`)
  })
})

describe('files', () => {
  it.each([
    { file: 'no/such.o', code: 'CLI_FILE_MISSING' },
    { file: 'package.json/x.o', code: 'CLI_FILE_MISSING' },
    { file: '.', code: 'CLI_FILE_KIND' },
    { file: '/dev/zero', code: 'CLI_FILE_KIND' },
  ])('$file gives $code on every command', async ({ file, code }) => {
    for (const command of ['inspect', 'disasm', 'core-reloc', 'run']) {
      const io = testIo()
      expect(await main([command, file, '--json'], io)).toBe(1)
      expect(io.out()).toBe('')
      expect(io.err()).toMatch(
        new RegExp(`^error\\[${code}\\]: ${file.replaceAll('.', '\\.')}.*\\nhint: .*\\n$`),
      )
    }
  })
})

describe('colours', () => {
  it.each([
    { env: {}, isTTY: false, colour: false },
    { env: {}, isTTY: true, colour: true },
    { env: { NO_COLOR: '1' }, isTTY: true, colour: false },
    { env: { NO_COLOR: '' }, isTTY: true, colour: true },
    { env: { TERM: 'dumb' }, isTTY: true, colour: false },
    { env: { FORCE_COLOR: '1' }, isTTY: false, colour: true },
    { env: { FORCE_COLOR: '1', NO_COLOR: '1' }, isTTY: false, colour: false },
  ])('$env on a terminal=$isTTY: $colour', async ({ env, isTTY, colour }) => {
    const io = testIo({ env, isTTY })
    await main(['inspect', 'no/such.o'], io)
    expect(io.err().includes('\u001b[')).toBe(colour)
  })
})
