// Becomes an ordinary user and tells how far it gets.
import { isTsbpfError } from '@tsbpf/base'
import { attachTracepoint } from '@tsbpf/link'
import { nativeSys } from '@tsbpf/sys/native'
import { loadSync, missingPrivileges, preview } from '../../../src/index.ts'
import { objectSpec } from '../objects.ts'

const spec = objectSpec('tracer')
const sys = nativeSys()
const loaded = loadSync(spec)
const { fd, name } = loaded.program('count_calls')
process.setgroups?.([])
process.setgid?.(65_534)
process.setuid?.(65_534)

function fails(
  attempt: () => unknown,
): { code: string; message: string; hint: string | undefined } | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    if (!isTsbpfError(error)) throw error
    return { code: error.code, message: error.message, hint: error.hint }
  }
}

const told = {
  preview: preview(spec).programs.map((program) => program.name),
  missing: missingPrivileges(sys, spec),
  load: fails(() => loadSync(spec)),
  withoutMaps: fails(() =>
    loadSync({
      ...objectSpec('tracepoints'),
      maps: [],
      programs: objectSpec('tracepoints')
        .programs.slice(3)
        .map((program) => ({ ...program, autoload: true })),
    }),
  ),
  attach: fails(() => attachTracepoint(sys, { fd, name }, 'raw_syscalls/sys_enter')),
}
process.stdout.write(`${JSON.stringify(told)}\n`)
