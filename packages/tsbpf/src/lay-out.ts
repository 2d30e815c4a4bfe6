import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { RenderResult } from '@viz-js/viz'
import { errors } from './errors.ts'
import { maxLayoutSeconds, maxLayoutText } from './limits.ts'

/** What runs beside: laying out can be neither interrupted nor foreseen. */
const code = `
const { parentPort, workerData } = require('node:worker_threads')
require(workerData.library).instance().then((viz) => {
  const { dot, graphAttributes } = workerData
  parentPort.postMessage(viz.render(dot, { format: 'svg', graphAttributes }))
})
`

/** Without these, a hundred jumps to one exit take dot minutes. */
const graphAttributes = { nslimit: 0.5, nslimit1: 0.5 }

/** Options of {@link layOut}. */
export interface LayOutOptions {
  /** What is waited for at most; {@link maxLayoutSeconds} unless given. */
  readonly seconds?: number
}

/** Lays out a graph of the DOT language and gives it as SVG; `CLI_LAYOUT` where that would take too long. */
export async function layOut(dot: string, options: LayOutOptions = {}): Promise<string> {
  const { seconds = maxLayoutSeconds } = options
  if (dot.length > maxLayoutText) {
    throw errors.CLI_LAYOUT({ reason: `${dot.length} characters of DOT are more than ${maxLayoutText}` })
  }
  const library = createRequire(import.meta.url).resolve('@viz-js/viz')
  const worker = new Worker(code, { eval: true, workerData: { dot, graphAttributes, library } })
  let timer: NodeJS.Timeout | undefined
  try {
    const result = await new Promise<RenderResult>((resolve, reject) => {
      const fail = (reason: string): void => reject(errors.CLI_LAYOUT({ reason }))
      timer = setTimeout(() => fail(`it is not done after ${seconds} seconds`), 1000 * seconds)
      worker.once('message', resolve)
      worker.once('error', (error) => fail(`Graphviz gives up: ${String(error)}`))
      worker.once('exit', () => fail('Graphviz gives up'))
    })
    if (result.status === 'success') return result.output
    const reason = result.errors.map(({ message }) => message).join('; ')
    throw errors.CLI_LAYOUT({ reason: `Graphviz gives up: ${reason}` })
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}
