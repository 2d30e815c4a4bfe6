import type { AttachKind } from './attach-kind.ts'
import type { AttachOptions, SectionProgram } from './attach-options.ts'
import { freplaceKind } from './freplace.ts'
import { attachIterator } from './iterator.ts'
import { attachKprobeMulti } from './kprobe-multi.ts'
import { attachKprobe } from './kprobe.ts'
import { attachKsyscall } from './ksyscall.ts'
import { attachPerfSampling } from './perf-sampling.ts'
import { attachRawTracepoint } from './raw-tracepoint.ts'
import { attachTracepoint } from './tracepoint.ts'
import { attachTracing } from './tracing.ts'
import type { TracingAttachType } from './tracing.ts'
import { attachUprobeMulti } from './uprobe-multi.ts'
import { attachUprobe } from './uprobe.ts'
import { attachUsdt } from './usdt.ts'

const prefixOf = (program: SectionProgram): string => program.section.replace(/\/.*$/s, '')

/** True for a section name that asks for the return of functions. */
const isReturn = (program: SectionProgram): boolean => /^(?:k|u)ret(?:probe|syscall)/.test(prefixOf(program))

const cookieOf = ({ cookie }: AttachOptions): { readonly cookie?: bigint } =>
  cookie === undefined ? {} : { cookie }

/** Kinds of attachment to what the kernel and programs do. */
export const tracingKinds: readonly AttachKind[] = [
  {
    kind: 'tracepoint',
    types: ['tracepoint'],
    attachTypes: [undefined],
    sinceKernel: '4.7',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'category/name, such as raw_syscalls/sys_enter',
    attach: attachTracepoint,
  },
  {
    kind: 'raw_tracepoint',
    types: ['raw_tracepoint', 'raw_tracepoint_writable'],
    attachTypes: [undefined],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a name such as sys_enter',
    attach: attachRawTracepoint,
  },
  {
    kind: 'tracing',
    types: ['tracing', 'lsm'],
    attachTypes: [
      'trace_raw_tp',
      'trace_fentry',
      'trace_fexit',
      'modify_return',
      'trace_fsession',
      'lsm_mac',
    ],
    sinceKernel: '5.5',
    endsWithProcess: true,
    targetAtLoad: true,
    byItself: true,
    targetShape: 'a name such as sys_enter or do_unlinkat',
    attach: (sys, program, target, options) =>
      attachTracing(sys, program, program.attachType as TracingAttachType, target, cookieOf(options)),
  },
  freplaceKind,
  {
    kind: 'iterator',
    types: ['tracing'],
    attachTypes: ['trace_iter'],
    sinceKernel: '5.8',
    endsWithProcess: true,
    targetAtLoad: true,
    byItself: true,
    targetShape: 'what to walk, such as task',
    attach: attachIterator,
  },
  {
    kind: 'kprobe',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['kprobe', 'kretprobe'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a kernel function such as do_unlinkat',
    attach: (sys, program, target, options) =>
      attachKprobe(sys, program, target, { retprobe: isReturn(program), ...cookieOf(options) }),
  },
  {
    kind: 'ksyscall',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['ksyscall', 'kretsyscall'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a system call such as unlinkat',
    attach: (sys, program, target, options) =>
      attachKsyscall(sys, program, target, { retprobe: isReturn(program), ...cookieOf(options) }),
  },
  {
    kind: 'uprobe',
    types: ['kprobe'],
    attachTypes: [undefined],
    prefixes: ['uprobe', 'uprobe.s', 'uretprobe', 'uretprobe.s'],
    sinceKernel: '4.17',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a colon and a function, such as libc.so.6:malloc',
    attach: (sys, program, target, options) =>
      attachUprobe(sys, program, target, { ...options, retprobe: isReturn(program) }),
  },
  {
    kind: 'usdt',
    types: ['kprobe'],
    attachTypes: [undefined, 'trace_uprobe_multi'],
    prefixes: ['usdt', 'usdt.s'],
    sinceKernel: '5.15',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a provider and a name, such as libc.so.6:libc:setjmp',
    attach: (sys, program, target, { usdtSpecs, ...options }) =>
      attachUsdt(sys, program, target, {
        ...options,
        ...(usdtSpecs === undefined ? {} : { specs: usdtSpecs }),
        multi: program.attachType === 'trace_uprobe_multi',
      }),
  },
  {
    kind: 'kprobe_multi',
    types: ['kprobe'],
    attachTypes: ['trace_kprobe_multi', 'trace_kprobe_session'],
    sinceKernel: '5.18',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: true,
    targetShape: 'a pattern of kernel functions, such as vfs_*',
    attach: (sys, program, target, options) =>
      attachKprobeMulti(sys, program, target, {
        retprobe: isReturn(program),
        session: program.attachType === 'trace_kprobe_session',
        ...(options.cookies === undefined ? {} : { cookies: options.cookies }),
      }),
  },
  {
    kind: 'uprobe_multi',
    types: ['kprobe'],
    attachTypes: ['trace_uprobe_multi', 'trace_uprobe_session'],
    sinceKernel: '6.6',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'a file, a colon and a pattern of functions, such as libc.so.6:mall*',
    attach: (sys, program, target, options) => {
      const colon = target.lastIndexOf(':')
      return attachUprobeMulti(
        sys,
        program,
        { path: target.slice(0, colon), functions: target.slice(colon + 1) },
        { ...options, retprobe: isReturn(program), session: program.attachType === 'trace_uprobe_session' },
      )
    },
  },
  {
    kind: 'perf_event',
    types: ['perf_event'],
    attachTypes: [undefined],
    sinceKernel: '4.9',
    endsWithProcess: true,
    targetAtLoad: false,
    byItself: false,
    targetShape: 'an event of the kernel, such as cpu_clock',
    attach: attachPerfSampling,
  },
]
