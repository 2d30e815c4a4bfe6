import { decoderSource } from './compile-decode.ts'
import type { CompiledDecoder } from './compile-decode.ts'
import { encoderSource } from './compile-encode.ts'
import type { CompiledEncoder } from './compile-encode.ts'
import { TooLarge } from './source-text.ts'
import type { MadeSource } from './source-text.ts'
import type { ValueNode } from './value-node.ts'

type Source = (node: ValueNode, littleEndian: boolean) => MadeSource

/** Whether code may be made of text here; asked once, when the first codec is hot. */
let allowed: boolean | undefined

/**
 * Asks by trying. A page whose content security policy has no `unsafe-eval`, and Node with
 * `--disallow-code-generation-from-strings`, throw.
 */
function mayGenerate(): boolean {
  try {
    return evaluate('return values[0]', [true]) === true
  } catch {
    return false
  }
}

function evaluate(source: string, values: readonly unknown[]): unknown {
  // The text is made by `sourceText` of numbers and escaped names alone.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('values', source) as (values: readonly unknown[]) => unknown
  return make(values)
}

function compile(source: Source, node: ValueNode, littleEndian: boolean): unknown {
  allowed ??= mayGenerate()
  if (!allowed) return undefined
  try {
    const made = source(node, littleEndian)
    return evaluate(made.source, made.values)
  } catch (error) {
    if (error instanceof TooLarge) return undefined
    throw error
  }
}

/** A decoder compiled for the type; `undefined` where none can be had: interpret. */
export function compileDecoder(node: ValueNode, littleEndian: boolean): CompiledDecoder | undefined {
  return compile(decoderSource, node, littleEndian) as CompiledDecoder | undefined
}

/** An encoder compiled for the type; `undefined` where none can be had: interpret. */
export function compileEncoder(node: ValueNode, littleEndian: boolean): CompiledEncoder | undefined {
  return compile(encoderSource, node, littleEndian) as CompiledEncoder | undefined
}
