import { createRequire } from 'node:module'
import type { Dialect } from '@tsbpf/isa'
import { Command, InvalidArgumentError, Option } from 'commander'
import { describeBtf } from './btf-commands.ts'
import { append, examples } from './command-options.ts'
import type { Graph, GraphFormat } from './commands/disasm.ts'
import type { Io } from './io.ts'
import { maxDuration } from './limits.ts'
import { paintFor } from './paint.ts'

/** Dialects of @tsbpf/isa, which is not imported before a command needs it. */
export const dialects: readonly Dialect[] = ['llvm', 'verifier', 'gnu', 'conformance']

const graphs: readonly Graph[] = ['cfg', 'calls']
const graphFormats: readonly GraphFormat[] = ['dot', 'svg']

/** All commands with their options and help; `done` gets the exit code of the one that runs. */
export function commandLine(io: Io, done: (code: number) => void): Command {
  const program = new Command('tsbpf')
    .description('The eBPF toolchain for TypeScript: read, relocate and run clang-built BPF objects.')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
      getOutHasColors: () => paintFor(io, io.stdout).isColorSupported,
      getErrHasColors: () => paintFor(io, io.stderr).isColorSupported,
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  $ tsbpf inspect app.bpf.o
  $ tsbpf disasm app.bpf.o --source
  $ tsbpf core-reloc app.bpf.o --target /sys/kernel/btf/vmlinux
  $ sudo tsbpf run app.bpf.o --duration 10

Exit codes: 0 done, 1 failed (error[CODE] and a hint on stderr), 2 wrong usage.`,
    )

  program
    .command('inspect')
    .description('show what an object holds: programs, maps, variables, externs')
    .argument('<OBJ>', 'object file built by clang -target bpf')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples('tsbpf inspect app.bpf.o', "tsbpf inspect app.bpf.o --json | jq '.maps[].name'"),
    )
    .action(async (file: string, options: { json?: true }) => {
      const { inspect } = await import('./commands/inspect.ts')
      done(await inspect(io, file, { json: options.json === true }))
    })

  program
    .command('disasm')
    .description("show an object's instructions as text")
    .argument('<OBJ>', 'object file built by clang -target bpf')
    .option('--program <NAME>', 'only this function: a program or a subprogram')
    .addOption(
      new Option('--dialect <DIALECT>', 'how instructions are spelt').choices(dialects).default('llvm'),
    )
    .option('--source', 'put the lines of C between the instructions', false)
    .option('--assembly', 'print a text that tsbpf asm turns into the same object', false)
    .addOption(
      new Option('--graph <GRAPH>', 'draw basic blocks and jumps, or which function calls which').choices(
        graphs,
      ),
    )
    .addOption(
      new Option('--format <FORMAT>', 'how to write the graph; dot unless given').choices(graphFormats),
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'tsbpf disasm app.bpf.o --source',
        'tsbpf disasm app.bpf.o --program on_enter --dialect verifier',
        'tsbpf disasm app.bpf.o --assembly > app.s',
        'tsbpf disasm app.bpf.o --program on_enter --graph cfg --format svg > on_enter.svg',
      ),
    )
    .action(
      async (
        file: string,
        options: {
          json?: true
          source: boolean
          assembly: boolean
          program?: string
          dialect: Dialect
          graph?: Graph
          format?: GraphFormat
        },
        command: Command,
      ) => {
        const { program: only, dialect, source, assembly, graph, format } = options
        const json = options.json === true
        if (assembly && (json || only !== undefined)) {
          const other = json ? '--json' : '--program'
          command.error(`error: option '--assembly' prints a whole object as text: leave ${other} out`)
        }
        if (graph === undefined && format !== undefined) {
          command.error("error: option '--format' is that of a graph: add --graph cfg or --graph calls")
        }
        if (graph !== undefined && (json || assembly)) {
          const other = json ? '--json' : '--assembly'
          command.error(`error: option '--graph' draws instead of listing: leave ${other} out`)
        }
        if (graph === 'calls' && (only !== undefined || source)) {
          const other = source ? '--source' : '--program'
          command.error(
            `error: option '--graph calls' draws the functions of a whole object: leave ${other} out`,
          )
        }
        const { disasm } = await import('./commands/disasm.ts')
        const drawn = { graph, format: format ?? 'dot' } as const
        done(await disasm(io, file, { json, program: only, dialect, source, assembly, ...drawn }))
      },
    )

  program
    .command('asm')
    .description('assemble text into an object, or into raw instructions')
    .argument('<FILE>', 'text: instructions and directives, or what clang -S writes')
    .requiredOption('-o, --out <OUT>', 'file to write; left as it is if anything fails')
    .option('--raw', 'write the instructions alone', false)
    .addOption(
      new Option('--dialect <DIALECT>', 'how instructions are spelt').choices(dialects).default('llvm'),
    )
    .addOption(
      new Option('--byte-order <ORDER>', 'byte order of the object')
        .choices(['little', 'big'])
        .default('little'),
    )
    .option('--json', 'print one JSON document about what was written')
    .addHelpText(
      'after',
      examples('tsbpf asm app.s -o app.bpf.o', 'tsbpf asm add.s -o add.bin --raw --dialect conformance'),
    )
    .action(
      async (
        file: string,
        options: { json?: true; out: string; raw: boolean; dialect: Dialect; byteOrder: 'little' | 'big' },
      ) => {
        const { asm } = await import('./commands/asm.ts')
        const { out, raw, dialect, byteOrder } = options
        done(await asm(io, file, { json: options.json === true, out, raw, dialect, byteOrder }))
      },
    )

  program
    .command('core-reloc')
    .description("relocate an object to a kernel's types and explain every decision")
    .argument('<OBJ>', 'object file built by clang -target bpf')
    .option(
      '--target <BTF>',
      "BTF of the kernel: raw, a .gz of it, or an ELF file with .BTF; repeat it for the BTF of the kernel's modules; the running kernel unless given",
      append,
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples('tsbpf core-reloc app.bpf.o', 'tsbpf core-reloc app.bpf.o --target vmlinux-6.1.btf.gz --json'),
    )
    .action(async (file: string, options: { json?: true; target?: string[] }) => {
      const { coreReloc } = await import('./commands/core-reloc.ts')
      done(await coreReloc(io, file, { json: options.json === true, targets: options.target ?? [] }))
    })

  program
    .command('check')
    .description('say on which of many kernels an object will relocate, and what breaks where')
    .argument('<OBJ>', 'object file built by clang -target bpf')
    .requiredOption(
      '--targets <DIR>',
      'folder with the BTF of one kernel in each file: raw, a .gz of it, or an ELF file with .BTF',
    )
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      examples(
        'tsbpf check app.bpf.o --targets kernels/',
        "tsbpf check app.bpf.o --targets kernels/ --json | jq '.targets[] | {target, status}'",
      ),
    )
    .action(async (file: string, options: { json?: true; targets: string }) => {
      const { check } = await import('./commands/check.ts')
      done(await check(io, file, { json: options.json === true, targets: options.targets }))
    })

  program
    .command('run')
    .description(
      'load and attach an object, print events, trace output and what its maps hold, and leave nothing behind',
    )
    .argument('<OBJ>', 'object file built by clang -target bpf')
    .option('--duration <SECONDS>', 'stop after so many seconds; else on Ctrl-C', seconds)
    .option('--program <NAME>', 'attach only this program; repeat it for several', append)
    .option(
      '--event <MAP=TYPE>',
      "type of the records of a ring buffer or perf event array, where the map's definition names none; repeat it for several",
      append,
    )
    .option('--dry-run', 'do everything up to the load, and say what would follow', false)
    .option('--json', 'print one JSON object per line')
    .addHelpText(
      'after',
      examples(
        'sudo tsbpf run app.bpf.o',
        'sudo tsbpf run app.bpf.o --duration 5 --json | jq .',
        "sudo tsbpf run app.bpf.o --event 'events=struct event'",
      ),
    )
    .action(
      async (
        file: string,
        options: {
          json?: true
          duration?: number
          program?: string[]
          event?: string[]
          dryRun: boolean
        },
      ) => {
        const { duration, program: programs = [], event: events = [], dryRun } = options
        const json = options.json === true
        if (dryRun) {
          const { dryRun: rehearse } = await import('./dry-run.ts')
          done(await rehearse(io, file, { json, programs }))
        } else {
          const { run } = await import('./commands/run.ts')
          done(await run(io, file, { json, duration, programs, events }))
        }
      },
    )

  program
    .command('leftovers')
    .description(
      'list what outlives the process that attached or pinned it and that no link holds, and remove what is named',
    )
    .option('--remove <NAME>', 'remove the one of this name; repeat it for several', append)
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      `
XDP programs over netlink, filters of clsact, routes, cgroups without links, struct_ops without links, and pins.
Devices and routes are those of this network namespace.
${examples('sudo tsbpf leftovers', 'sudo tsbpf leftovers --remove tc:eth0:ingress:49152:1:17', 'sudo ip netns exec blue tsbpf leftovers')}`,
    )
    .action(async (options: { json?: true; remove?: string[] }) => {
      const { leftovers } = await import('./commands/leftovers.ts')
      done(leftovers(io, { json: options.json === true, remove: options.remove ?? [] }))
    })

  describeBtf(program, io, done)
  return program
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value > 0 && value <= maxDuration)) {
    throw new InvalidArgumentError(`it must be a number of seconds above 0 and at most ${maxDuration}`)
  }
  return value
}

function version(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string }
  return manifest.version
}
