/** Sends bytes over loopback with a congestion control, in a network namespace of its own. Argument: its name. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [, , name] = process.argv
execFileSync('ip', ['link', 'set', 'lo', 'up'])
writeFileSync('/proc/sys/net/ipv4/tcp_congestion_control', name)
const server = createServer((socket) => socket.resume().on('end', () => socket.end()))
server.listen(0, '127.0.0.1', () => {
  const client = connect(server.address().port, '127.0.0.1', () => client.end(new Uint8Array(100_000)))
  client.resume().on('close', () => {
    server.close()
    console.log('sent')
  })
})
