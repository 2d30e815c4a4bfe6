// Traffic of this process with itself, over the loopback device of its own network namespace.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { ListenOptions, NetConnectOpts, Socket } from 'node:net'

/** One datagram from one socket to another, and what else can be done with the two. */
export async function datagram(type: 'udp4' | 'udp6' = 'udp4'): Promise<void> {
  const address = type === 'udp4' ? '127.0.0.1' : '::1'
  const server = createSocket(type)
  const client = createSocket(type)
  try {
    server.bind(0, address)
    await once(server, 'listening')
    const { port } = server.address()
    const got = once(server, 'message')
    client.send('x', port, address)
    await got
    client.connect(port, address)
    await once(client, 'connect')
    client.remoteAddress()
    client.setBroadcast(true)
    client.getSendBufferSize()
  } finally {
    client.close()
    server.close()
  }
}

/** What a {@link connection} carries. */
export const sent = 'hello'

/** One connection that carries a few bytes each way; `look` gets both ends while it stands. */
export async function connection(
  at: ListenOptions & NetConnectOpts = { host: '127.0.0.1', port: 0 },
  look: (client: Socket, server: Socket) => void = () => undefined,
): Promise<void> {
  const server = createServer()
  server.listen(at)
  await once(server, 'listening')
  const place = server.address()
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect(typeof place === 'string' || place === null ? at : { ...at, port: place.port })
  const [other] = await accepted
  if (client.connecting) await once(client, 'connect')
  look(client, other)
  other.on('data', (data) => other.end(data))
  client.end(sent)
  client.resume()
  await once(client, 'close')
  server.close()
  await once(server, 'close')
}
