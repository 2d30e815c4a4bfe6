import { isTsbpfError } from '@tsbpf/base'
import { errnoName, lackingCapabilities } from '@tsbpf/sys'
import type { CapabilityName, Sys } from '@tsbpf/sys'
import { errors } from './errors.ts'
import type { AttachableProgram } from './link.ts'

/** What was being attached, for {@link refused}. */
export interface Attempt {
  readonly program: AttachableProgram
  readonly target: string
  /** Name of the system call or command. */
  readonly step: string
  /** Capabilities that the step wants. */
  readonly wants: readonly CapabilityName[]
}

/** The error for a step that the kernel refused; `result` is a negated errno. */
export function refused(sys: Sys, attempt: Attempt, result: number, cause?: unknown): Error {
  const name = errnoName(result)
  const facts = { program: attempt.program.name, target: attempt.target, step: attempt.step, errno: name }
  if (name === 'EPERM' || name === 'EACCES') {
    return errors.LINK_DENIED({ ...facts, missing: lackingCapabilities(sys, attempt.wants) }, { cause })
  }
  return errors.LINK_REFUSED(facts, { cause })
}

/** Undoes what others may have undone, or what is gone with its place: then the errno is one of these, and all is well. */
export function undoUnlessGone(undo: () => void, gone: readonly string[]): void {
  try {
    undo()
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    const { errno, errnoName = errno } = error.context
    if (!gone.includes(String(errnoName))) throw error
  }
}

/** The negated errno of a `SyscallError`; any other error is thrown again. */
export function resultOf(error: unknown): number {
  if (!isTsbpfError(error, 'SYS_CALL_FAILED')) throw error
  return -Number(error.context['errno'])
}
