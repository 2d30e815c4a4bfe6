import { errnoName, failure, lackingCapabilities } from '@tsbpf/sys'
import type { LoadResult, ProgLoadFields, Sys } from '@tsbpf/sys'
import { textUntilNul } from '@tsbpf/base'
import type { CoreResult } from '@tsbpf/core-reloc'
import { attachTypes, bpfFuncInfo, bpfLineInfo, progFlags, progTypes } from '@tsbpf/uapi'
import { errors } from './errors.ts'
import { firstLogBytes, loadAttempts, logGrowth, maxLogBytes } from './limits.ts'
import { createJumpTables } from './jump-tables.ts'
import type { OwnedFds } from './owned-fds.ts'
import type { PlannedProgram } from './plan.ts'
import { capabilitiesFor } from './privileges.ts'
import { funcInfo, lineInfo } from './program-info-records.ts'
import { resolveReferences } from './resolve-references.ts'
import type { ReferenceTargets } from './resolve-references.ts'
import { VerifierError } from './verifier/verifier-error.ts'

/** What loading a program needs besides the program. */
export interface LoadContext {
  readonly sys: Sys
  readonly license: string
  readonly kernelVersion: number | undefined
  readonly owned: OwnedFds
  readonly targets: ReferenceTargets
  /** Descriptor of the object's BTF in the kernel; `undefined` where it has none. */
  readonly btfFd: number | undefined
  readonly relocations: readonly CoreResult[]
  readonly logLevel: number
  /** Descriptor of a BPF token. */
  readonly token: number | undefined
}

/** A program that the kernel took. */
export interface LoadedFd {
  readonly fd: number
  /** The verifier's log, where a log level asked for it; else empty. */
  readonly log: string
}

/** The call that a load waits for: handed to the kernel on the thread pool or at once, as the caller of the load likes. */
export type LoadSteps<T> = Generator<ProgLoadFields, T, LoadResult>

const EAGAIN = failure('EAGAIN')
const ENOSPC = failure('ENOSPC')
const E2BIG = failure('E2BIG')

/**
 * Loads one program: without a log first, which is several times faster, and once more with a log when it was refused.
 * Throws {@link VerifierError}, LOADER_DENIED and LOADER_FAILED.
 */
export function* loadProgram(context: LoadContext, program: PlannedProgram): LoadSteps<LoadedFd> {
  const fields = loadFields(context, program)
  const logLevel = program.logLevel ?? context.logLevel
  if (logLevel > 0) {
    const { result, log } = yield* withLog(fields, logLevel, false)
    if (result.fd >= 0) return { fd: result.fd, log }
    if (result.fd !== ENOSPC) throw refusal(context, program, result.fd, log, false)
    // Only the log did not fit, perhaps: the kernel refuses a program whose log does not.
    const plain = yield* again(fields)
    if (plain.fd >= 0) return { fd: plain.fd, log }
    throw refusal(context, program, plain.fd, log, true)
  }
  const plain = yield* again(fields)
  if (plain.fd >= 0) return { fd: plain.fd, log: '' }
  // The verifier has not come to an end, and has nothing to say.
  if (plain.fd === EAGAIN) throw refusal(context, program, plain.fd, '', false)
  // A program that is too large takes the verifier a second, and its log is millions of lines of the same loop.
  const { result, log } = yield* withLog(fields, 1, plain.fd === E2BIG)
  if (result.fd >= 0) return { fd: result.fd, log }
  throw refusal(context, program, plain.fd, log, result.fd === ENOSPC)
}

function* withLog(
  fields: ProgLoadFields,
  level: number,
  once: boolean,
): LoadSteps<{ readonly result: LoadResult; readonly log: string }> {
  let log = new Uint8Array(firstLogBytes)
  for (;;) {
    const result = yield* again({ ...fields, log_level: level, log_buf: log })
    // From 6.4 on the kernel says how much it takes, and the buffer has the end of it, which says what is wrong.
    const wanted = result.logTrueSize > 0 ? result.logTrueSize : log.length * logGrowth
    const stop = once || wanted > maxLogBytes || log.length >= maxLogBytes
    if (result.fd !== ENOSPC || stop) return { result, log: textUntilNul(log) }
    log = new Uint8Array(wanted)
  }
}

/** libbpf tries again, too, when the kernel was interrupted (bpf.c, sys_bpf_prog_load). */
function* again(fields: ProgLoadFields): LoadSteps<LoadResult> {
  let result = yield fields
  for (let tries = 1; tries < loadAttempts && result.fd === EAGAIN; tries++) result = yield fields
  return result
}

function loadFields(context: LoadContext, { spec, linked, target }: PlannedProgram): ProgLoadFields {
  const { btfFd, targets, token } = context
  const tables = createJumpTables(context, linked)
  const { insns, fdArray } = resolveReferences(linked, targets, tables)
  const { module, programFd, member } = target
  const functions = btfFd === undefined ? undefined : funcInfo(linked)
  const lines = functions === undefined ? undefined : lineInfo(linked)
  return {
    prog_type: progTypes.byName(spec.type ?? '')?.value ?? 0,
    // A struct_ops program has the member there that it is.
    expected_attach_type: member ?? attachTypes.byName(spec.attachType ?? '')?.value ?? 0,
    prog_name: kernelName(spec.name),
    insns,
    license: context.license,
    kern_version: context.kernelVersion ?? 0,
    prog_flags: spec.flags | (token === undefined ? 0 : progFlags.value('token_fd')),
    prog_token_fd: token ?? 0,
    attach_btf_id: target.id,
    attach_prog_fd:
      programFd ??
      (module === undefined ? 0 : targets.moduleFd(module, `the target of program ${spec.name}`)),
    ...(fdArray.length === 0 ? {} : { fd_array: new Uint8Array(Int32Array.from(fdArray).buffer) }),
    ...(btfFd === undefined || functions === undefined
      ? {}
      : { prog_btf_fd: btfFd, func_info_rec_size: bpfFuncInfo.size, func_info: functions }),
    ...(lines === undefined ? {} : { line_info_rec_size: bpfLineInfo.size, line_info: lines }),
  }
}

/** The kernel takes letters, digits, `_` and `.` (kernel/bpf/syscall.c, bpf_obj_name_cpy). */
function kernelName(name: string): string {
  return name.replace(/[^\w.]/g, '_')
}

function refusal(
  context: LoadContext,
  program: PlannedProgram,
  result: number,
  log: string,
  truncated: boolean,
): Error {
  const { spec, linked } = program
  const errno = errnoName(result)
  if (log.trim() !== '') {
    const { relocations, sys } = context
    const lacking = lackingCapabilities(sys, ['CAP_BPF', 'CAP_PERFMON'])
    return new VerifierError({ linked, type: spec.type, relocations, errno, log, truncated, lacking })
  }
  const what = `program ${spec.name} (${spec.type ?? 'unknown type'}) cannot be loaded`
  if (errno === 'EPERM' || errno === 'EACCES') {
    const missing = lackingCapabilities(context.sys, capabilitiesFor(spec.type))
    return errors.LOADER_DENIED({ what, errno, missing })
  }
  return errors.LOADER_FAILED({ what, errno })
}
