const brand = Symbol.for('@tsbpf/error')

/** Facts behind an error, by name; what a code carries is stated where the code is defined. */
export type ErrorContext = Readonly<Record<string, unknown>>

/** Options of {@link TsbpfError}. */
export interface TsbpfErrorOptions {
  /** What to do next, as one sentence without a full stop at the end being required. */
  readonly hint?: string | undefined
  readonly context?: ErrorContext
  readonly cause?: unknown
}

/**
 * The one error that @tsbpf throws on purpose.
 *
 * `code` is permanent, `message` says what happened and where, `hint` says what to do next, `context` has the facts.
 * Recognise it with {@link isTsbpfError}, never with `instanceof`: two copies of this package may live in one process.
 *
 * @example
 * ```ts
 * import { TsbpfError } from '@tsbpf/base'
 * const error = new TsbpfError('ELF_NOT_ELF', 'app.o is not an ELF file', { hint: 'compile it with clang -target bpf' })
 * console.log(error.code, error.hint)
 * ```
 */
export class TsbpfError extends Error {
  override readonly name: string = 'TsbpfError'
  /** Permanent, upper case, first word the package: `BTF_TRUNCATED`. */
  readonly code: string
  readonly context: ErrorContext
  readonly hint: string | undefined

  constructor(code: string, message: string, options: TsbpfErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.context = options.context ?? {}
    this.hint = options.hint
    Object.defineProperty(this, brand, { value: true })
  }
}

/**
 * Thrown where this system, kernel or runtime cannot do what was asked, however well it was asked.
 * `evidence` says how that is known: probed on this system, or read from a version.
 */
export class UnsupportedError extends TsbpfError {
  override readonly name: string = 'UnsupportedError'
  readonly feature: string
  readonly evidence: 'probed' | 'version' | 'platform'

  constructor(
    code: string,
    message: string,
    options: TsbpfErrorOptions & {
      readonly feature: string
      readonly evidence: 'probed' | 'version' | 'platform'
    },
  ) {
    super(code, message, options)
    this.feature = options.feature
    this.evidence = options.evidence
  }
}

/**
 * True for every error of @tsbpf, of whichever copy of the packages; with `code`, only for that code.
 *
 * @example
 * ```ts
 * import { isTsbpfError } from '@tsbpf/base'
 * try { JSON.parse('{') } catch (error) { console.log(isTsbpfError(error)) } // false
 * ```
 */
export function isTsbpfError(error: unknown, code?: string): error is TsbpfError {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as { readonly code?: unknown }).code === code
}

/**
 * One row of a package's error table: how the message reads, and what to do next.
 * The parameter of `message` is the context that the code carries.
 */
export interface ErrorRow {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- rows of one table take different contexts
  readonly message: (context: any) => string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as above
  readonly hint?: string | ((context: any) => string | undefined)
}

/** Constructors made by {@link defineErrors}: one for each code of the table. */
export type ErrorConstructors<T extends Readonly<Record<string, ErrorRow>>> = {
  readonly [Code in keyof T & string]: (
    context: Parameters<T[Code]['message']>[0],
    options?: { readonly cause?: unknown; readonly hint?: string },
  ) => TsbpfError
}

/**
 * Turns a package's table of errors into constructors, one for each code. The constructors are cold functions:
 * nothing is formatted until something is wrong.
 *
 * @example
 * ```ts
 * import { defineErrors } from '@tsbpf/base'
 * const errors = defineErrors({
 *   DEMO_NO_MAP: { message: (c: { name: string }) => `no map is named ${c.name}`, hint: 'list the maps first' },
 * })
 * throw errors.DEMO_NO_MAP({ name: 'counts' })
 * ```
 */
export function defineErrors<const T extends Readonly<Record<string, ErrorRow>>>(
  table: T,
): ErrorConstructors<T> {
  const constructors: Record<string, unknown> = {}
  for (const [code, row] of Object.entries(table)) {
    constructors[code] = (
      context: ErrorContext,
      options: { readonly cause?: unknown; readonly hint?: string } = {},
    ) => {
      const hint = options.hint ?? (typeof row.hint === 'function' ? row.hint(context) : row.hint)
      return new TsbpfError(code, row.message(context), { context, hint, cause: options.cause })
    }
  }
  return constructors as ErrorConstructors<T>
}
