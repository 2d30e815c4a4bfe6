import { textUntilNul } from '@tsbpf/base'
import { encodeInsns } from '@tsbpf/isa'
import type { Insn } from '@tsbpf/isa'
import { errnoName, failure, lackingCapabilities, progLoad } from '@tsbpf/sys'
import type { CapabilityName, ProgLoadFields, Sys } from '@tsbpf/sys'
import { errors } from '../errors.ts'
import { loadAttempts, probeLogBytes } from '../limits.ts'

/** Whether this kernel has a feature, and how that is known. */
export interface FeatureEvidence {
  readonly supported: boolean
  /** What was tried: `load an xdp program of 2 instructions`. */
  readonly tried: string
  /** What the kernel said: `ok`, the name of an errno, and what is telling of the verifier's log. */
  readonly answer: string
}

/** What a load came to. */
export interface ProbedLoad {
  readonly loaded: boolean
  readonly errno: string
  readonly log: string
  readonly answer: string
}

const answers = new WeakMap<Sys, Map<string, FeatureEvidence>>()

/** The kernel of a door does not change: each question is asked once. */
export function cached(sys: Sys, question: string, ask: () => FeatureEvidence): FeatureEvidence {
  const known = answers.get(sys) ?? new Map<string, FeatureEvidence>()
  answers.set(sys, known)
  let evidence = known.get(question)
  if (evidence === undefined) known.set(question, (evidence = ask()))
  return evidence
}

/**
 * Throws LOADER_PROBE_DENIED for an EPERM where this process lacks privilege: that says nothing of the kernel. A kernel
 * that refuses a process with all privileges does not have the feature for anybody.
 */
export function checkPrivilege(sys: Sys, what: string, errno: string): void {
  if (errno !== 'EPERM') return
  const wanted: readonly CapabilityName[] = ['CAP_BPF', 'CAP_PERFMON', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN']
  const missing = lackingCapabilities(sys, wanted)
  if (missing.length > 0) throw errors.LOADER_PROBE_DENIED({ what, errno, missing })
}

/** Loads a program and closes it again; throws LOADER_PROBE_DENIED for EPERM. */
export function tryLoad(
  sys: Sys,
  what: string,
  insns: readonly Insn[],
  fields: Omit<ProgLoadFields, 'insns' | 'license'>,
): ProbedLoad {
  const buffer = new Uint8Array(probeLogBytes)
  const code = encodeInsns(insns, { littleEndian: true })
  const request = { ...fields, insns: code, license: 'GPL' }
  let { fd } = progLoad(sys, request)
  // The kernel interrupts the verifier for signals.
  for (let tries = 0; fd === failure('EAGAIN') && tries < loadAttempts; tries++) {
    fd = progLoad(sys, request).fd
  }
  if (fd >= 0) {
    sys.close(fd)
    return { loaded: true, errno: '', log: '', answer: 'ok' }
  }
  const again = progLoad(sys, { ...request, log_buf: buffer, log_level: 1 })
  if (again.fd >= 0) sys.close(again.fd)
  const log = textUntilNul(buffer)
  const errno = errnoName(fd)
  // The verifier, too, may say EPERM, and then it says why.
  if (log === '') checkPrivilege(sys, what, errno)
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^(?:\d+: |processed |func#|Live regs)/.test(line))
  const said = lines.at(-1)
  return { loaded: false, errno, log, answer: said === undefined ? errno : `${errno}: ${said}` }
}
