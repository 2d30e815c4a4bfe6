import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url))
const bin = path('packages/tsbpf/bin/tsbpf.js')
const start = path('tools/start.mjs')
const object = path('examples/syscount/syscount.bpf.o')

const built = ['packages/tsbpf/dist/tsbpf.js', 'examples/dist/syscount/main.js'].every((one) =>
  existsSync(path(one)),
)
const reason = built ? '' : ' [not run: nothing has been built, npm run build does it]'

const run = (...argv: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env: {} })
  return { status, stdout, stderr }
}

/** Makes node say that it runs on macOS. */
const elsewhere = [
  '--import',
  "data:text/javascript,Object.defineProperty(process,'platform',{value:'darwin'})",
]

describe.skipIf(!built)(`the built command line${reason}`, () => {
  it('may be executed', () => {
    expect(() => {
      accessSync(bin, constants.X_OK)
    }).not.toThrow()
  })

  it('prints what it is asked for and exits 0', () => {
    const { status, stdout, stderr } = run(bin, 'inspect', object, '--json')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ byteOrder: 'little', programs: [{ name: 'count_syscalls' }] })
  })

  it('exits 1 for a failure and 2 for wrong usage', () => {
    expect(run(bin, 'inspect', 'no-such.o')).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^error\[CLI_FILE_MISSING\]: .*\nhint: .*\n$/) as string,
    })
    expect(run(bin, 'inspcet', object)).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^error\[CLI_USAGE\]: .*\nhint: .*\n$/) as string,
    })
  })

  it.skipIf(process.platform === 'win32')('ends quietly when the reader has gone', () => {
    const script = `"${process.execPath}" "${bin}" disasm "${object}" --json | head -1; echo "\${PIPESTATUS[0]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
    expect({ stdout, stderr }).toEqual({ stdout: '[\n0\n', stderr: '' })
  })

  it.skipIf(!existsSync('/dev/full'))('says that its output cannot be written, and exits 1', () => {
    for (const argv of [`inspect "${object}"`, `disasm "${object}" --json`, '--help']) {
      const script = `"${process.execPath}" "${bin}" ${argv} > /dev/full`
      const { status, stderr } = spawnSync('sh', ['-c', script], { encoding: 'utf8', env: {} })
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^error\[CLI_OUTPUT\]: .*ENOSPC\nhint: .*\n$/) as string,
      })
    }
  })

  it('inspects and relocates on other systems, and run says that it cannot', () => {
    const pinned = path('packages/testkit/btf/vmlinux-6.12-debian-amd64.btf.gz')
    expect(run(...elsewhere, bin, 'inspect', object)).toMatchObject({ status: 0, stderr: '' })
    expect(run(...elsewhere, bin, 'core-reloc', object, '--target', pinned)).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect(run(...elsewhere, bin, 'run', object)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error\[SYS_UNSUPPORTED_PLATFORM\]: .*darwin.*\nhint: .*Linux.*\n$/,
      ) as string,
    })
  })

  it.each([[[]], [[object]]])('npm start is a dry run on other systems: %s', (argv) => {
    const { status, stdout, stderr } = run(...elsewhere, start, ...argv)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain(
      'CO-RE relocations to vmlinux-6.12-debian-amd64, since this system shows no kernel BTF',
    )
    expect(stdout).toMatch(/real_parent .* 8 -> 2448\n/)
    expect(stdout).toMatch(/\nmissing\n {2}Linux, needed to load programs/)
  })

  it('npm start -- --help shows how', () => {
    expect(run(start, '--help')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^usage: npm start/) as string,
    })
  })

  it.each([
    { argv: ['a.o', 'b.o'], status: 2 },
    { argv: ['a.o', '--duration', 'x'], status: 2 },
    { argv: ['--nonsense'], status: 2 },
    { argv: ['no-such.o'], status: 1 },
  ])('npm start $argv exits $status', ({ argv, status }) => {
    const result = run(start, ...argv)
    expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: '' })
    expect(result.stderr).not.toContain('    at ')
  })
})
