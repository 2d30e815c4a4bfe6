import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fd, rawTracepointOpen } from '@tsbpf/sys'
import type { Sys } from '@tsbpf/sys'
import { linux, mapFlags } from '@tsbpf/uapi'
import { createMap, indexCodec } from '../../src/index.ts'
import type { BpfMap, ElementCodec } from '../../src/index.ts'
import {
  add,
  call,
  insn,
  load,
  loadProgram,
  mapFd,
  mov,
  movReg,
  returnZero,
  store,
  storeWord,
} from './programs.ts'
import { shape, u64 } from './shapes.ts'

/** A library and a program whose stack is known: main → outer → library_entry → library_inner → getppid. */
const librarySource = `
#include <sys/syscall.h>
/* A function that calls none keeps no frame. */
static __attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }
static __attribute__((noinline)) long library_inner(long depth) {
  long result;
  nothing();
  __asm__ volatile("syscall" : "=a"(result) : "0"(SYS_getppid) : "rcx", "r11", "memory");
  return result + depth;
}
__attribute__((noinline)) long library_entry(long depth) { return library_inner(depth) + 1; }
void *library_inner_address(void) { return library_inner; }
`
const programSource = `
#include <stdio.h>
#include <time.h>
#include <unistd.h>
long library_entry(long);
void *library_inner_address(void);
static __attribute__((noinline)) long outer(long depth) { return library_entry(depth) + 2; }
int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  printf("{\\"main\\":\\"%p\\",\\"outer\\":\\"%p\\",\\"library_inner\\":\\"%p\\"}\\n", (void *)main, (void *)outer,
         library_inner_address());
  char c;
  while (read(0, &c, 1) == 1) {
    outer(c);
    printf("done\\n");
  }
  return 0;
}
`

/** What was compiled with some options: in an emulator that takes ten seconds. */
const compiled = new Map<string, readonly Uint8Array[]>()

/** The two, compiled into a folder of their own, which is removed by `dispose`. */
export class StackProgram implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tsbpf-stacks-'))
  readonly program = join(this.folder, 'program')
  readonly library = join(this.folder, 'libstack.so')

  constructor(options: readonly string[] = ['-pie', '-fPIE']) {
    const files = ['program', 'libstack.so']
    const key = options.join(' ')
    const known = compiled.get(key)
    if (known === undefined) {
      this.#compile(options)
      compiled.set(
        key,
        files.map((file) => readFileSync(join(this.folder, file))),
      )
    } else {
      files.forEach((file, i) => {
        writeFileSync(join(this.folder, file), known[i] ?? '', { mode: 0o755 })
      })
    }
  }

  #compile(options: readonly string[]): void {
    writeFileSync(join(this.folder, 'library.c'), librarySource)
    writeFileSync(join(this.folder, 'program.c'), programSource)
    const frames = ['-O1', '-g', '-fno-omit-frame-pointer', '-fno-optimize-sibling-calls']
    this.#gcc(...frames, '-shared', '-fPIC', '-Wl,--build-id', '-o', 'libstack.so', 'library.c')
    this.#gcc(
      ...frames,
      ...options,
      '-Wl,--build-id',
      '-o',
      'program',
      'program.c',
      '-L.',
      '-lstack',
      '-Wl,-rpath,$ORIGIN',
    )
  }

  /** Starts it, or `command` with it; resolves with the addresses that it prints of its functions. */
  async start(command: readonly string[] = [this.program]): Promise<RunningProgram> {
    const [name = '', ...rest] = command
    const child = spawn(name, rest, { cwd: this.folder, stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = linesOf(child)
    const first = JSON.parse(await lines()) as Readonly<Record<string, string>>
    return new RunningProgram(
      child,
      new Map(Object.entries(first).map(([key, at]) => [key, BigInt(at)])),
      lines,
    )
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #gcc(...options: readonly string[]): void {
    execFileSync('gcc', options, { cwd: this.folder })
  }
}

/** The next line of a child's output, as often as it is called. */
function linesOf(child: ChildProcess): () => Promise<string> {
  let text = ''
  let wake = (): void => undefined
  child.stdout?.on('data', (part) => {
    text += String(part)
    wake()
  })
  return async () => {
    while (!text.includes('\n')) await new Promise<void>((resolve) => (wake = resolve))
    const end = text.indexOf('\n')
    const line = text.slice(0, end)
    text = text.slice(end + 1)
    return line
  }
}

/** The program while it runs. */
export class RunningProgram implements AsyncDisposable {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #lines: () => Promise<string>
  /** Its functions, where they are in its memory; the address of one of a library may be that of a stub. */
  readonly functions: ReadonlyMap<string, bigint>

  constructor(child: ChildProcess, functions: ReadonlyMap<string, bigint>, lines: () => Promise<string>) {
    this.#child = child
    this.pid = child.pid ?? 0
    this.functions = functions
    this.#lines = lines
  }

  /** Lets it call down to getppid once. */
  async run(): Promise<void> {
    this.#child.stdin?.write('x')
    await this.#lines()
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) await this.stop()
  }
}

const getppid = 110

/** Stores the kernel's and the user's stack of each getppid of one process, until it is disposed. */
export class StackTracer<T> implements Disposable {
  readonly stacks: BpfMap<number, T>
  readonly #ids: BpfMap<number, bigint>
  readonly #held: readonly Fd[]

  constructor(sys: Sys, pid: number, value: ElementCodec<T>, options: { readonly buildId?: boolean } = {}) {
    const flags = options.buildId === true ? mapFlags.value('stack_build_id') : 0
    this.stacks = createMap<number, T>(sys, shape('stack_trace', { valueSize: value.size, flags }), {
      codecs: { key: indexCodec, value },
    })
    this.#ids = createMap<number, bigint>(sys, shape('array', { maxEntries: 2 }), {
      codecs: { key: indexCodec, value: u64 },
    })
    const stackTo = (index: number, stackFlags: number): number[] => [
      ...movReg(1, 6),
      ...mapFd(2, this.stacks.fd),
      ...mov(3, stackFlags),
      ...call('get_stackid'),
      ...store(10, -16, 0),
      ...storeWord(10, -4, index),
      ...mapFd(1, this.#ids.fd),
      ...movReg(2, 10),
      ...add(2, -4),
      ...movReg(3, 10),
      ...add(3, -16),
      ...mov(4, 0),
      ...call('map_update_elem'),
    ]
    // Stacks of files with build ids are those of processes.
    const body = [
      ...(options.buildId === true ? [] : stackTo(0, linux.BPF_F_REUSE_STACKID)),
      ...stackTo(1, linux.BPF_F_USER_STACK | linux.BPF_F_REUSE_STACKID),
    ]
    const skip = (left: readonly number[]): number => left.length / 8
    const ofProcess = [...call('get_current_pid_tgid'), ...insn(0x77, 0, 0, 0, 32)]
    const code = [
      ...movReg(6, 1),
      ...load(7, 6, 8),
      ...insn(0x55, 7, 0, skip(ofProcess) + 1 + skip(body), getppid),
      ...ofProcess,
      ...insn(0x55, 0, 0, skip(body), pid),
      ...body,
      ...returnZero,
    ]
    const program = new Fd(sys, loadProgram(sys, 'raw_tracepoint', code), 'program')
    const link = new Fd(sys, rawTracepointOpen(sys, 'sys_enter', program.value), 'link')
    this.#held = [link, program]
  }

  /** The last stacks. */
  stack(which: 'kernel' | 'user'): T {
    const id = this.#ids.get(which === 'kernel' ? 0 : 1) ?? -1n
    const stack = this.stacks.get(Number(BigInt.asIntN(64, id)))
    if (stack === undefined) throw new Error(`no ${which} stack: ${id}`)
    return stack
  }

  dispose(): void {
    for (const fd of this.#held) fd.dispose()
    this.#ids.dispose()
    this.stacks.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
