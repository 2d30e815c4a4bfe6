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
  let make: (values: readonly unknown[]) => unknown
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    make = new Function('values', source) as typeof make
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
  return make(values)
}
