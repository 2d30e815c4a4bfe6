/** Whether code may be made of text here; asked once, when it is wanted first. */
let allowed: boolean | undefined

/**
 * Makes what `source`, the body of a function, returns. It sees `values`; whatever else comes from strangers must not
 * get into it. `undefined` where code may not be made of text: in a page whose content security policy has no
 * `unsafe-eval`, and in Node with `--disallow-code-generation-from-strings`. So each use has an interpreted twin.
 *
 * @example
 * ```ts
 * import { generate } from '@tsbpf/base'
 * const scale = generate('const [factor] = values; return (x) => x * factor', [3])
 * console.log(typeof scale) // 'function', or 'undefined'
 * ```
 */
export function generate(source: string, values: readonly unknown[]): unknown {
  allowed ??= mayGenerate()
  return allowed ? evaluate(source, values) : undefined
}

/** Asks by trying. */
function mayGenerate(): boolean {
  try {
    return evaluate('return values[0]', [true]) === true
  } catch {
    return false
  }
}

function evaluate(source: string, values: readonly unknown[]): unknown {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('values', source) as (values: readonly unknown[]) => unknown
  return make(values)
}
