import { defineErrors, suggest } from '@tsbpf/base'

/** What can go wrong on the command line itself; everything else keeps the code of the package that noticed it. */
export const errors = defineErrors({
  CLI_USAGE: {
    message: (c: { readonly problem: string; readonly command: string }) => c.problem,
    hint: (c: { readonly command: string }) => `${c.command} --help shows how`,
  },
  CLI_FILE_MISSING: {
    message: (c: { readonly file: string }) => `${c.file} does not exist`,
    hint: 'check the spelling; paths are relative to the current folder',
  },
  CLI_FILE_DENIED: {
    message: (c: { readonly file: string }) => `${c.file} may not be read by this user`,
    hint: (c: { readonly file: string }) => `look at its permissions: ls -l ${c.file}`,
  },
  CLI_FILE_KIND: {
    message: (c: { readonly file: string; readonly kind: string }) => `${c.file} is ${c.kind}, not a file`,
    hint: 'give the path of a file',
  },
  CLI_FILE_EMPTY: {
    message: (c: { readonly file: string }) => `${c.file} is empty`,
    hint: 'was it still being written, or is the disk full? make it again',
  },
  CLI_FILE_TOO_LARGE: {
    message: (c: { readonly file: string; readonly size: number; readonly limit: number }) =>
      `${c.file} has ${c.size} bytes, more than the ${c.limit} that are read`,
    hint: 'give the section alone: llvm-objcopy --dump-section .BTF=out.btf FILE',
  },
  CLI_FILE_READ: {
    message: (c: { readonly file: string; readonly reason: string }) =>
      `${c.file} cannot be read: ${c.reason}`,
    hint: 'copy it to a local disk and try again',
  },
  CLI_OUTPUT: {
    message: (c: { readonly errno: string }) => `standard output cannot be written: ${c.errno}`,
    hint: 'is the disk full? make room, or write elsewhere',
  },
  CLI_FILE_WRITE: {
    message: (c: { readonly file: string; readonly reason: string }) =>
      `${c.file} cannot be written: ${c.reason}`,
    hint: 'is there such a folder, may this user write to it, and is there room?',
  },
  CLI_TEXT: {
    message: (c: { readonly file: string }) => `${c.file} is no text in UTF-8`,
    hint: 'tsbpf disasm shows an object, tsbpf asm takes its text',
  },
  CLI_GZIP: {
    message: (c: { readonly file: string; readonly reason: string }) =>
      `${c.file} cannot be unpacked: ${c.reason}`,
    hint: 'unpack it yourself with gunzip, and give the result',
  },
  CLI_EVENT_TYPE: {
    message: (c: { readonly text: string }) => `--event ${c.text} does not name a map and a type`,
    hint: 'give both: --event events="struct event"',
  },
  CLI_EVENT_MAP: {
    message: (c: { readonly map: string; readonly known: readonly string[] }) =>
      `the object has no ring buffer or perf event array named ${c.map}`,
    hint: (c: { readonly map: string; readonly known: readonly string[] }) => suggest(c.map, c.known),
  },
  CLI_EVENT_NO_BTF: {
    message: (c: { readonly type: string }) => `the object has no BTF, so no type ${c.type}`,
    hint: 'compile it with -g, or leave --event out: records are shown as their bytes then',
  },
  CLI_TARGET_FORMAT: {
    message: (c: { readonly file: string; readonly actual: string }) =>
      `${c.file} is no BTF: it starts with ${c.actual}`,
    hint: 'give raw BTF (such as /sys/kernel/btf/vmlinux), a .gz of it, or an ELF file with a .BTF section',
  },
  CLI_TARGET_NO_BTF: {
    message: (c: { readonly file: string }) => `${c.file} is an ELF file without a .BTF section`,
    hint: 'kernel images carry one if built with CONFIG_DEBUG_INFO_BTF=y',
  },
  CLI_NO_KERNEL_BTF: {
    message: (c: { readonly reason: string }) => `the running kernel's BTF cannot be read: ${c.reason}`,
    hint: 'give a kernel with --target, for instance a copy of its /sys/kernel/btf/vmlinux',
  },
  CLI_PROGRAM: {
    message: (c: { readonly name: string; readonly names: readonly string[] }) =>
      `the object has no program named ${c.name}`,
    hint: (c: { readonly name: string; readonly names: readonly string[] }) => suggest(c.name, c.names),
  },
  CLI_LAYOUT: {
    message: (c: { readonly reason: string }) => `the graph cannot be laid out: ${c.reason}`,
    hint: 'choose one function with --program, or print --format dot, which has no limit',
  },
  CLI_CORE_RELOC: {
    message: (c: { readonly failed: number; readonly total: number }) =>
      `${c.failed} of ${c.total} CO-RE relocations failed`,
    hint: 'the output says for each what was looked for and why no candidate fits',
  },
  CLI_NO_TARGETS: {
    message: (c: { readonly folder: string }) => `${c.folder} holds no file that could be a kernel's BTF`,
    hint: 'put one file per kernel there: raw BTF, a .gz of it, or an ELF file with a .BTF section',
  },
  CLI_TARGETS_FOLDER: {
    message: (c: { readonly folder: string; readonly reason: string }) =>
      `the folder ${c.folder} cannot be read: ${c.reason}`,
    hint: 'give a folder with one BTF file per kernel',
  },
  CLI_CHECK: {
    message: (c: { readonly failed: number; readonly total: number }) =>
      `the object does not relocate to ${c.failed} of ${c.total} targets`,
    hint: 'the output says what breaks where; tsbpf core-reloc OBJ --target FILE explains one target in full',
  },
  CLI_NOTHING_TO_RUN: {
    message: (c: { readonly file: string }) => `${c.file} has no program that could be attached`,
    hint: 'tsbpf inspect lists its programs; those whose section starts with ? run only when named with --program',
  },
  CLI_LEFTOVER: {
    message: (c: { readonly name: string; readonly known: readonly string[] }) =>
      `nothing that is left behind is named ${c.name}; nothing was removed`,
    hint: (c: { readonly name: string; readonly known: readonly string[] }) =>
      c.known.length === 0 ? 'nothing is left behind' : suggest(c.name, c.known),
  },
  CLI_INTERNAL: {
    message: (c: { readonly reason: string }) => `this is a defect of tsbpf: ${c.reason}`,
    hint: 'please report it with the command and, if you can, the file',
  },
})
