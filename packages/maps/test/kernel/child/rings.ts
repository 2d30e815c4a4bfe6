// Prints what became of rings in this thread and in a Worker, as a line of JSON.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { nativeSys } from '@tsbpf/sys/native'
import { scriptFile } from '@tsbpf/testkit/child'
import { createMap, openRingBuffer } from '../../../src/index.ts'
import { shape } from '../../support/shapes.ts'
import { life } from './ring-life.ts'
import type { RingLife } from './ring-life.ts'
import { consume, produce } from './ring-load.ts'
import type { RingLoad, Task } from './ring-load.ts'

/** What is printed. */
export interface Rings {
  readonly lives: readonly [here: RingLife, worker: RingLife]
  readonly load: RingLoad
  readonly wake: RingLoad
}

if (isMainThread) {
  const worker = new Worker(scriptFile(new URL(import.meta.url)))
  const load = await consume(worker, 'load')
  const wake = await consume(worker, 'wake')
  const here = await life()
  worker.postMessage('life')
  const [there] = (await once(worker, 'message')) as [RingLife]
  // A ring of it is still there.
  await worker.terminate()
  const told: Rings = { lives: [here, there], load, wake }
  process.stdout.write(`${JSON.stringify(told)}\n`)
} else {
  parentPort?.on('message', (task: Task | 'life') => {
    if (task !== 'life') {
      produce(task)
      parentPort?.postMessage('done')
      return
    }
    void life().then((told) => {
      const sys = nativeSys()
      openRingBuffer(sys, createMap(sys, shape('ringbuf', { keySize: 0, valueSize: 0, maxEntries: 4096 })))
      parentPort?.postMessage(told)
    })
  })
}
