import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** An abstract Unix socket: it ends with its process, whatever ends that. */
const lock = '\0tsbpf kernel tests'

function listen(): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(lock, () => {
      resolve(server)
    })
  })
}

/**
 * Kernel tests count what is in the kernel before and after, for the whole machine: two runs at once would each see the
 * other's programs as leaks. The second one waits. Who is not root runs none of them.
 */
export default async function oneRun(): Promise<() => void> {
  const alone = process.platform !== 'linux' || process.geteuid?.() !== 0
  let server = alone ? createServer() : await listen()
  if (server === undefined) console.log('waiting for another run of the kernel tests on this machine…')
  while (server === undefined) {
    await sleep(200)
    server = await listen()
  }
  const held = server.unref()
  return () => {
    held.close()
  }
}
