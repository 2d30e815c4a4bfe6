import { generate } from '@tsbpf/base'
import { decoderSource } from './compile-decode.ts'
import type { CompiledDecoder } from './compile-decode.ts'
import { encoderSource } from './compile-encode.ts'
import type { CompiledEncoder } from './compile-encode.ts'
import { TooLarge } from './source-text.ts'
import type { MadeSource } from './source-text.ts'
import type { ValueNode } from './value-node.ts'

type Source = (node: ValueNode, littleEndian: boolean) => MadeSource

function compile(source: Source, node: ValueNode, littleEndian: boolean): unknown {
  try {
    // The text is made by `sourceText` of numbers and escaped names alone.
    const made = source(node, littleEndian)
    return generate(made.source, made.values)
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
