#!/usr/bin/env node
/**
 * Asks a C compiler for what the fact files say: the number of every constant, the offset and size of every field.
 * Writes packages/uapi/test/golden/{constants,layouts,builtins}.txt, which the golden tests compare with what is exported.
 *
 *     apt-get install gcc libc6-dev linux-libc-dev linux-source-6.12   (and what tools/oracles asks for)
 *     node tools/uapi/record-golden.mjs
 *
 * Kernel constants and layouts come from the uapi headers inside linux-source-6.12; what libc declares too (errno,
 * open flags, sockets, mmap, epoll) comes from libc's headers, a second opinion. What they do not have is listed as
 * absent: it is newer than they are. Names are compared with those that bpftool lists.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readFacts, root } from './fact-file.mjs'
import { defaultTarball } from './linux-source.mjs'

const tarball = process.env.TSBPF_LINUX_SOURCE ?? defaultTarball
const top = basename(tarball).replace(/\.tar\.\w+$/, '')
const folder = mkdtempSync(join(tmpdir(), 'tsbpf-golden-'))
const golden = `${root}packages/uapi/test/golden/`

const kernelHeaders = [
  'bpf',
  'btf',
  'perf_event',
  'capability',
  'mount',
  'magic',
  'elf-em',
  'netlink',
  'rtnetlink',
]
  .concat([
    'pkt_sched',
    'pkt_cls',
    'tc_act/tc_bpf',
    'lwtunnel',
    'seg6_local',
    'if_ether',
    'if_link',
    'netfilter',
  ])
  .map((name) => `linux/${name}.h`)
const libcHeaders = [
  'errno.h',
  'fcntl.h',
  'sys/mman.h',
  'sys/socket.h',
  'sys/epoll.h',
  'sys/ioctl.h',
  'sys/pidfd.h',
]

/** Compiles and runs; lines whose names the headers do not have are taken out and returned. */
function ask(headers, lines, flags) {
  const absent = new Set()
  for (;;) {
    const asked = lines.filter((line) => !absent.has(line.name))
    const text = [
      '#define _GNU_SOURCE',
      '#include <stddef.h>',
      '#include <stdio.h>',
      ...headers.map((header) => `#include <${header}>`),
      'int main(void) {',
      ...asked.map((line) => `\n#line ${lines.indexOf(line) + 1} "asked"\n${line.code}`),
      'return 0; }',
    ].join('\n')
    writeFileSync(join(folder, 'ask.c'), text)
    const args = [...flags, '-w', '-fmax-errors=0', '-o', join(folder, 'ask'), join(folder, 'ask.c')]
    const { status, stderr } = spawnSync('gcc', args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    })
    if (status === 0) break
    const wrong = [...stderr.matchAll(/^asked:(\d+):\d+: error: (.*)$/gm)]
    const missing = wrong.filter(([, , message]) => /undeclared|has no member/.test(message))
    if (missing.length === 0) throw new Error(stderr)
    for (const [, line] of missing) absent.add(lines[Number(line) - 1].name)
  }
  const text = execFileSync(join(folder, 'ask'), { encoding: 'utf8' })
  return { text, absent: [...absent] }
}

function constantLines() {
  const bpf = readFacts('bpf')
  const linux = readFacts('linux')
  const rows = [
    ...Object.values(bpf.tables).flatMap((table) => table.rows),
    ...Object.values(linux.tables).flatMap((table) => table.rows),
    ...linux.constants.map((row) => ({ ...row, kernel: row.name })),
    ...readFacts('helpers').rows.map((row) => ({ ...row, path: 'include/uapi/linux/bpf.h' })),
  ]
  const seen = new Set()
  const line = ({ kernel }) => ({
    name: kernel,
    code: `printf("%s %lld\\n", "${kernel}", (long long)(${kernel}));`,
  })
  const distinct = rows.filter(({ kernel }) => !seen.has(kernel) && seen.add(kernel))
  const fromLibc = ({ path }) =>
    /asm-generic|include\/linux\/|linux\/(fcntl|mman|eventpoll|pidfd)\.h/.test(path)
  return {
    kernel: distinct.filter((row) => !fromLibc(row)).map(line),
    libc: distinct.filter(fromLibc).map(line),
  }
}

function layoutLines() {
  const { attrs, structs, linkInfo } = readFacts('layouts')
  const lines = []
  const size = (name, expression) =>
    lines.push({ name: `${name} size`, code: `printf("${name} size %zu\\n", sizeof(${expression}));` })
  const field = (name, type, member, base) =>
    lines.push({
      name,
      code: `printf("${name} %zu %zu\\n", offsetof(${type}, ${member})${base}, sizeof(((${type} *)0)->${member}));`,
    })
  for (const [name, attr] of Object.entries(attrs)) {
    if (attr.member !== '') size(`attrs.${name}`, `((union bpf_attr *)0)->${attr.member}`)
    const prefix = attr.member === '' ? '' : `${attr.member}.`
    for (const each of attr.fields)
      field(`attrs.${name}.${each.name}`, 'union bpf_attr', prefix + each.name, '')
  }
  for (const [name, facts] of Object.entries(structs)) {
    const type = facts.path.split(' ').slice(-2).join(' ')
    size(name, type)
    for (const each of facts.fields) {
      if (name === 'perfEventAttr' && each.name === 'flags') continue
      if (each.name === 'gpl_compatible') continue
      field(`${name}.${each.name}`, type, each.name, '')
    }
  }
  size('linkInfo', 'struct bpf_link_info')
  for (const each of linkInfo.common.fields)
    field(`linkInfo.${each.name}`, 'struct bpf_link_info', each.name, '')
  for (const [arm, facts] of Object.entries(linkInfo.arms)) {
    for (const each of facts.fields) {
      field(`linkInfoArms.${arm}.${each.name}`, 'struct bpf_link_info', `${arm}.${each.name}`, '')
    }
  }
  return lines
}

/** A bitfield has no address: the bit that setting it sets says where it is. */
function bitLines() {
  const bits = (name, type, member, from) => ({
    name,
    code:
      `{ union { ${type} s; unsigned long long w[sizeof(${type}) / 8]; } u = {0}; u.s.${member} = ~0ull; ` +
      `printf("${name} %d %d\\n", __builtin_ctzll(u.w[${from / 8}]), __builtin_popcountll(u.w[${from / 8}])); }`,
  })
  return [
    ...readFacts('layouts').perfEventAttrFlags.map(({ name }) =>
      bits(`perfEventAttrFlags.${name}`, 'struct perf_event_attr', name, 40),
    ),
    bits('gpl_compatible', 'struct bpf_prog_info', 'gpl_compatible', 80),
  ]
}

/** The names that bpftool 7.5 (tools/oracles) spells, in the order of their numbers. */
function builtins() {
  const oracles = execFileSync(process.execPath, [`${root}tools/oracles/build.mjs`], {
    encoding: 'utf8',
  }).trim()
  const bpftool = (...args) => execFileSync(join(oracles, 'bin/bpftool'), args, { encoding: 'utf8' }).trim()
  const groups = ['map_types', 'prog_types', 'attach_types', 'link_types', 'helpers']
  return (
    `# ${bpftool('version').split('\n').join(', ')}: bpftool feature list_builtins GROUP\n` +
    '# recorded by tools/uapi/record-golden.mjs\n' +
    groups
      .map((group) => `${group}: ${bpftool('feature', 'list_builtins', group).split('\n').join(' ')}\n`)
      .join('')
  )
}

try {
  execFileSync('tar', ['-xf', tarball, '-C', folder, '--occurrence=1', `${top}/include/uapi`], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // The kernel's own copies of the headers, before `make headers_install` takes annotations and two includes out.
  const include = join(folder, top, 'include/uapi')
  for (const name of ['compiler', 'compiler_types']) writeFileSync(join(include, 'linux', `${name}.h`), '')
  const kernelFlags = ['-D__user=', '-D__force=', '-I', include]
  const { kernel, libc } = constantLines()
  const answers = [ask(kernelHeaders, kernel, kernelFlags), ask(libcHeaders, libc, [])]
  const layouts = ask(kernelHeaders, [...layoutLines(), ...bitLines()], kernelFlags)
  const compiler = execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  const source = readFacts('bpf').inputs.source
  const head =
    `# ${compiler}; uapi headers of ${source.package} (sha256 ${source.sha256}); libc headers of the same system\n` +
    '# recorded by tools/uapi/record-golden.mjs\n'
  const absentLines = (names) => names.map((name) => `absent ${name}\n`).join('')
  mkdirSync(golden, { recursive: true })
  writeFileSync(
    `${golden}constants.txt`,
    head + answers.map(({ text, absent }) => text + absentLines(absent)).join(''),
  )
  writeFileSync(`${golden}builtins.txt`, builtins())
  writeFileSync(`${golden}layouts.txt`, head + layouts.text + absentLines(layouts.absent))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
