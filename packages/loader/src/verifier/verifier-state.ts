/** What the verifier knows at one point of a path: contents of registers and stack, as the kernel spells them. */
export interface VerifierState {
  /** Depth of the call: 0 in the program, 1 in a subprogram that it calls. */
  readonly frame: number
  /** Register to content: `R0` to `map_value_or_null(id=1,map=slots,ks=4,vs=8)`; an unreadable register is not there. */
  readonly registers: ReadonlyMap<string, string>
  /** Byte offset from the frame pointer to the content of those 8 bytes: `-8` to `mmmmmmmm`; unwritten ones are not there. */
  readonly stack: ReadonlyMap<number, string>
  /** Ids of what has been acquired and must still be released. */
  readonly references: readonly number[]
}

interface Frame {
  readonly registers: Map<string, string>
  readonly stack: Map<number, string>
}

/** Follows the state lines of a log, which say what changed since the one before. */
export interface StateTracker {
  /** Takes a state; a whole one replaces what its frame had. */
  take(state: StateText, options?: { readonly whole?: boolean }): void
  /** A helper or kfunc was called: R1 to R5 are gone, and the log does not say so. */
  called(): void
  /** A copy of what is known now; `undefined` before any state was seen. */
  now(): VerifierState | undefined
}

/** One state of the log, parsed (kernel/bpf/log.c, print_verifier_state). */
export interface StateText {
  readonly frame: number
  /** `R0` or `fp-8` to content, in the log's order. */
  readonly contents: readonly (readonly [name: string, content: string])[]
  readonly references: readonly number[] | undefined
}

/** Liveness marks (`R0_w=`, kernels before 6.18) tell nothing about contents. */
const item = /^(R\d+|fp-?\d+|refs)(?:_[a-zA-Z]+)?=(.*)$/s
const start = /^(?:frame\d+: ?)?(?:R\d+(?:_\w+)?=|fp-?\d+(?:_\w+)?=|refs=\d|cb$|async_cb$)/

/** True where a text begins as states do. */
export function startsState(text: string): boolean {
  return start.test(text)
}

/** Parses a state; `undefined` where the text is none. */
export function parseState(text: string): StateText | undefined {
  const [, frame, rest = ''] = /^(?:frame(\d+): ?)?(.*)$/s.exec(text.trim()) ?? []
  const contents: [string, string][] = []
  let references: readonly number[] | undefined
  for (const word of words(rest)) {
    const [, name, content] = item.exec(word) ?? []
    if (name === undefined || content === undefined) {
      if (word === 'cb' || word === 'async_cb') continue
      return undefined
    }
    if (name === 'refs') references = content.split(',').map(Number)
    else contents.push([name, content])
  }
  if (contents.length === 0 && references === undefined) return undefined
  return { frame: Number(frame ?? 0), contents, references }
}

/** Splits at blanks outside parentheses: `R1=scalar(var_off=(0x0; 0xff)) R2=1`. */
function words(text: string): readonly string[] {
  const found: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '(') depth++
    else if (c === ')') depth--
    else if (c === undefined || (c === ' ' && depth <= 0)) {
      if (i > from) found.push(text.slice(from, i))
      from = i + 1
    }
  }
  return found
}

const callerSaved = ['R1', 'R2', 'R3', 'R4', 'R5']

/** Starts with nothing known. */
export function trackState(): StateTracker {
  const frames: Frame[] = []
  let current: number | undefined
  let references: readonly number[] = []
  return {
    take(state, { whole = false } = {}) {
      current = state.frame
      // Frames above this one have been left.
      frames.length = Math.min(frames.length, current + 1)
      if (whole || frames[current] === undefined) frames[current] = { registers: new Map(), stack: new Map() }
      const frame = frames[current]
      for (const [name, content] of state.contents) {
        if (name.startsWith('R')) frame?.registers.set(name, content)
        else frame?.stack.set(Number(name.slice(2)), content)
      }
      if (state.references !== undefined || whole) references = state.references ?? []
    },
    called() {
      for (const name of callerSaved) frames[current ?? 0]?.registers.delete(name)
    },
    now() {
      const frame = current === undefined ? undefined : frames[current]
      if (current === undefined || frame === undefined) return undefined
      const byNumber = [...frame.registers].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)))
      const fromTop = [...frame.stack].sort(([a], [b]) => b - a)
      return { frame: current, registers: new Map(byNumber), stack: new Map(fromTop), references }
    },
  }
}
