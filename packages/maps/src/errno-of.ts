import type { TsbpfError } from '@tsbpf/base'

/** Name of the errno behind a `SyscallError` of any copy of `@tsbpf/sys`; the message of any other error. */
export function errnoOf(error: TsbpfError): string {
  const name = error.context['errnoName']
  return typeof name === 'string' ? name : error.message
}
