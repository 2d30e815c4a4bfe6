import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { commandLine } from './command-line.ts'
import { errors } from './errors.ts'
import type { Io } from './io.ts'
import { reportError } from './report-error.ts'

/** Exit codes of the command line. */
const exit = { done: 0, failed: 1, usage: 2 } as const

/**
 * The command line: runs one command and returns its exit code: 0 done, 1 failed, 2 wrong usage.
 *
 * Everything that it prints goes through `io`; errors are printed, never thrown. Code of a command is imported when
 * that command runs, so that `--help` and usage errors cost nothing.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exit.done
  const program = commandLine(io, (result) => (code = result))
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      reportError(io, error)
      return exit.failed
    }
    if (error.exitCode === 0) return exit.done
    // Without a command, commander has printed the help already.
    if (error.code !== 'commander.help') reportError(io, usageError(error, argv, program))
    return exit.usage
  }
}

function usageError(error: CommanderError, argv: readonly string[], program: Command): Error {
  let command = program
  for (const word of argv) {
    const named = command.commands.find((one) => one.name() === word)
    if (named === undefined) break
    command = named
  }
  const problem = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
  return errors.CLI_USAGE({ problem, command: pathOf(command) })
}

/** The words that name a command: `tsbpf btf min-core`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
