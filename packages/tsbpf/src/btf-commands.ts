import { Option } from 'commander'
import type { Command } from 'commander'
import { append, examples } from './command-options.ts'
import type { BtfFormat } from './commands/btf-dump.ts'
import type { Io } from './io.ts'

const btfFormats: readonly BtfFormat[] = ['raw', 'c', 'ts', 'json']

/** Adds `tsbpf btf` and its commands; `done` gets their exit codes. */
export function describeBtf(program: Command, io: Io, done: (code: number) => void): void {
  const btf = program
    .command('btf')
    .description('show BTF, the types of kernels and objects')
    .helpCommand(false)
    .addHelpText('after', examples('tsbpf btf dump /sys/kernel/btf/vmlinux --format c > vmlinux.h'))

  btf
    .command('dump')
    .description('print the types of a BTF: as bpftool does, as a C header, as TypeScript')
    .argument('<FILE>', 'BTF: raw, a .gz of it, or an ELF file with .BTF')
    .option('--base <FILE>', 'BTF that this one is split from, such as the kernel of a module')
    .addOption(new Option('--format <FORMAT>', 'how to print').choices(btfFormats).default('raw'))
    .option(
      '--root <TYPE>',
      'only this type (task_struct, struct task_struct), and in C and TypeScript what it needs; repeat it for several',
      append,
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'tsbpf btf dump /sys/kernel/btf/vmlinux --format c > vmlinux.h',
        'tsbpf btf dump app.bpf.o --format ts --root event',
      ),
    )
    .action(
      async (
        file: string,
        options: { json?: true; base?: string; format: BtfFormat; root?: string[] },
        command: Command,
      ) => {
        const { base, format, root: roots = [] } = options
        if (format === 'ts' && roots.length === 0) {
          command.error("error: option '--format ts' needs the types to print: add --root <TYPE>")
        }
        const { btfDump } = await import('./commands/btf-dump.ts')
        done(await btfDump(io, file, { json: options.json === true, base, format, roots }))
      },
    )

  btf
    .command('min-core')
    .description('write the smallest BTF with which objects still relocate the same')
    .argument('<OBJ...>', 'object files built by clang -target bpf')
    .requiredOption('--target <BTF>', 'BTF of the kernel: raw, a .gz of it, or an ELF file with .BTF')
    .requiredOption('-o, --out <OUT>', 'file to write; left as it is if anything fails')
    .option('--json', 'print one JSON document about what was written')
    .addHelpText('after', examples('tsbpf btf min-core --target vmlinux-5.4.btf.gz -o 5.4.btf app.bpf.o'))
    .action(async (files: string[], options: { json?: true; target: string; out: string }) => {
      const { btfMinCore } = await import('./commands/btf-min-core.ts')
      const { target, out } = options
      done(await btfMinCore(io, files, { json: options.json === true, target, out }))
    })
}
