import { isTsbpfError } from '@tsbpf/base'
import type { ObjectSpec } from '@tsbpf/object'
import { loadSync, VerifierError } from '../../../src/index.ts'

/** What a kernel said of a program. */
export interface RecordedLog {
  readonly outcome: 'refused' | 'loads' | 'no kfunc'
  readonly errno?: string | undefined
  /** The whole log, or its last lines where it is long; addresses of the kernel are masked. */
  readonly log?: string | undefined
  /** What the error says of it, not recorded. */
  readonly context?: Readonly<Record<string, unknown>>
}

const keptLines = 60

/** Loads an object and tells what came of it; it does not stay loaded. */
export function outcomeOf(spec: ObjectSpec): RecordedLog {
  try {
    loadSync(spec).dispose()
    return { outcome: 'loads' }
  } catch (error) {
    if (isTsbpfError(error, 'LOADER_KSYM_MISSING')) return { outcome: 'no kfunc' }
    if (!(error instanceof VerifierError)) throw error
    const lines = error.log.replace(/0xffff[0-9a-f]{12}/g, '0xffff000000000000').split('\n')
    return {
      outcome: 'refused',
      errno: String(error.context['errno']),
      log: lines.slice(-keptLines).join('\n'),
      context: { message: error.context['message'], lacking: error.context['lacking'] },
    }
  }
}

/** What came of the programs of one case. */
export interface Outcomes {
  readonly bad: RecordedLog
  readonly fixed: RecordedLog
}

/** Command that takes away what is above CAP_BPF. */
export const withoutPerfmon: readonly string[] = [
  'setpriv',
  '--bounding-set=-perfmon,-sys_admin',
  '--inh-caps=-perfmon,-sys_admin',
]
