// argv: fifo, readiness (0 epoll, 1 uv), what to do. The end of the process is the result.
import { addon } from './addon.mjs'

const [fifo, uv, what] = process.argv.slice(2)
const fd = addon.openat(-100, fifo, 0o4002, 0)
let calls = 0
const buffer = new Uint8Array(16)
const id = addon.watch(
  fd,
  () => {
    calls++
    addon.read(fd, buffer)
    if (what === 'throw') {
      if (calls === 2) addon.unwatch(id)
      else addon.write(fd, Uint8Array.of(calls))
      throw new Error(`thrown ${calls}`)
    }
    if (what === 'stop') addon.unwatch(id)
    if (what === 'close') addon.close(fd)
    if (what === 'exit') process.exit(7)
  },
  Number(uv),
)
if (id < 0) throw new Error(`watch: ${id}`)
if (addon.watch(fd, () => {}, Number(uv)) !== -17) throw new Error('watched twice')
if (what === 'throw') process.on('uncaughtException', (error) => console.log(`uncaught: ${error.message}`))
process.on('exit', () => console.log(`calls: ${calls}`))
// The timer is not what keeps the process alive: it is gone long before the watch is called.
setTimeout(() => addon.write(fd, Uint8Array.of(1)), what === 'late' ? 300 : 20).unref()
if (what === 'unused') addon.unwatch(id)
if (what === 'late') {
  // Only the watch keeps the loop alive for these 300 ms.
  setTimeout(() => addon.unwatch(id), 400).unref()
}
