import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import { WebSocket } from 'ws'
import { closed } from '#test/support/closed.ts'

/** What carries the messages of a SIP peer in tests. */
export interface Carrier {
  /** As in Via: `UDP`, `WS`, `WSS`. */
  readonly transport: string
  /** Own address, without brackets; for a WebSocket a name that leads nowhere (RFC 7118 §5.1). */
  readonly host: string
  readonly port: number
  send(text: string): void
  close(): Promise<void>
  /** Set by the owner. */
  onText: (text: string) => void
}

/** A UDP socket of its own at `local`. */
export async function udpCarrier(peer: { address: string; port: number }, local: string, port = 0): Promise<Carrier> {
  const socket = createSocket(isIPv6(local) ? 'udp6' : 'udp4')
  socket.bind(port, local)
  await once(socket, 'listening')
  const bound = socket.address()
  const carrier: Carrier = {
    ...{ transport: 'UDP', host: bound.address, port: bound.port },
    send: (text) => socket.send(text, peer.port, peer.address),
    close: async () => {
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
    onText: () => undefined,
  }
  socket.on('message', (bytes) => carrier.onText(bytes.toString('utf8')))
  return carrier
}

/** A TCP connection; messages are told apart by their length. */
export async function tcpCarrier(peer: { address: string; port: number }, local = '127.0.0.1'): Promise<Carrier> {
  const socket = connect({ host: peer.address, port: peer.port, localAddress: local })
  await once(socket, 'connect')
  const carrier: Carrier = {
    ...{ transport: 'TCP', host: local, port: socket.localPort ?? 0 },
    send: (text) => socket.write(text),
    close: async () => {
      socket.destroy()
      await closed(socket)
    },
    onText: () => undefined,
  }
  let waiting = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => {
    waiting += bytes.toString('latin1')
    for (let end = endOf(waiting); end !== null; end = endOf(waiting)) {
      carrier.onText(Buffer.from(waiting.slice(0, end), 'latin1').toString('utf8'))
      waiting = waiting.slice(end)
    }
  })
  return carrier
}

/** Where the first message ends; null while it is incomplete. */
function endOf(text: string): number | null {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return null
  const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(text.slice(0, head))?.[1] ?? 0)
  return text.length >= head + 4 + length ? head + 4 + length : null
}

/** A WebSocket with the subprotocol `sip` (RFC 7118); `ca`: PEM text of who vouches for a `wss:` server. */
export async function webSocketCarrier(url: string, ca?: string): Promise<Carrier> {
  const socket = new WebSocket(url, 'sip', ca === undefined ? {} : { ca })
  await once(socket, 'open')
  const carrier: Carrier = {
    ...{ transport: url.startsWith('wss:') ? 'WSS' : 'WS', host: 'df7jal23ls0d.invalid', port: 5060 },
    send: (text) => socket.send(text),
    close: async () => {
      if (socket.readyState === WebSocket.CLOSED) return
      const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.close()
      await gone
    },
    onText: () => undefined,
  }
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => carrier.onText(data.toString('utf8')))
  return carrier
}
