import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'

/** Where datagrams come from and go to. */
export interface DatagramRemote {
  readonly address: string
  readonly port: number
}

/** What becomes of datagrams. */
export interface DatagramEvents {
  /** The bytes are the receiver's to keep. */
  onDatagram(bytes: Buffer, remote: DatagramRemote): void
  /** The system refused to send there; never told within `send`. `code`: its word for it, such as ENETUNREACH. */
  onRefused(remote: DatagramRemote, code: string): void
}

/** One bound UDP socket. */
export interface DatagramSocket {
  readonly local: DatagramRemote
  /** At once or at the end of the turn of the event loop, in order. Never throws: what the network loses is lost. */
  send(bytes: Uint8Array, remote: DatagramRemote): void
  close(): Promise<void>
}

/** Binds a UDP socket, for one family only, that may have `roomBytes` waiting. Rejects with the system's error. */
export type BindDatagrams = (local: DatagramRemote, how: DatagramEvents & { roomBytes: number }) => Promise<DatagramSocket>

/** Through `node:dgram`: on any machine. */
export const nodeDatagrams: BindDatagrams = async (local, how) => {
  const type = isIPv6(local.address) ? 'udp6' : 'udp4'
  const socket = createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: how.roomBytes, lookup: LITERAL[type] })
  try {
    // Before binding, which may be done at once.
    const listening = once(socket, 'listening')
    socket.bind({ address: local.address, port: local.port, exclusive: true })
    await listening
  } catch (error) {
    socket.close()
    throw error
  }
  // Errors of sending come to `sent`; one here concerns no peer we could name.
  socket.on('error', () => undefined)
  socket.on('message', (bytes, { address, port }) => how.onDatagram(bytes, { address, port }))
  return new NodeDatagrams(socket, how)
}

class NodeDatagrams implements DatagramSocket {
  readonly local: DatagramRemote
  readonly #socket: Socket
  readonly #sent: (error: Error | null) => void

  constructor(socket: Socket, events: DatagramEvents) {
    const { address, port } = socket.address()
    this.local = { address, port }
    this.#socket = socket
    // One function for all sends; the system's error names the peer.
    this.#sent = (error: (NodeJS.ErrnoException & Partial<DatagramRemote>) | null) => {
      if (error?.address !== undefined && error.port !== undefined)
        events.onRefused({ address: error.address, port: error.port }, error.code ?? '')
    }
  }

  send(bytes: Uint8Array, remote: DatagramRemote): void {
    this.#socket.send(bytes, remote.port, remote.address, this.#sent)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }
}

type Lookup = (
  hostname: string,
  options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void

/** Addresses are always literals of the socket's family here: without these each send would visit the resolver. */
export const LITERAL: { readonly udp4: Lookup; readonly udp6: Lookup } = {
  udp4: (hostname, _options, callback) => callback(null, hostname, 4),
  udp6: (hostname, _options, callback) => callback(null, hostname, 6),
}
