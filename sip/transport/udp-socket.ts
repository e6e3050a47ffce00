import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Flow } from '#sip/agent.ts'
import { isKeepAlive } from '#sip/message/framing.ts'
import type { Inbox } from '#sip/transport/inbox.ts'
import { type ListenAt, listenError } from '#sip/transport/port-taken.ts'
import { isStun, stunAnswer } from '#sip/transport/stun.ts'

/** As much as waits while the process is busy for a moment: about 4,000 messages. The system may grant less. */
const RECEIVE_BUFFER_BYTES = 4_194_304
const MAX_DATAGRAM_BYTES = 65_507
/** What the system says about the peer or the way to it. Anything else (a full buffer) passes, and the retransmission repairs it. */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'EPERM',
  'EACCES',
  'EINVAL',
])

/** One UDP socket. */
export class UdpSocket {
  readonly local: { readonly address: string; readonly port: number }
  readonly isV6: boolean
  readonly #socket: Socket
  readonly #inbox: Inbox
  readonly #sent: (error: Error | null) => void
  /** Hear STUN that is no request. */
  readonly stunListeners = new Set<(bytes: Uint8Array, remote: { address: string; port: number }) => void>()

  private constructor(socket: Socket, inbox: Inbox) {
    const { address, port } = socket.address()
    this.local = { address, port }
    this.isV6 = isIPv6(address)
    this.#socket = socket
    this.#inbox = inbox
    // One function for all sends; the system's error names the peer.
    this.#sent = (error) => {
      if (error !== null) this.#sendFailed(error)
    }
  }

  /** Binds and begins to deliver. Rejects with a `ListenError`. */
  static async bind(at: ListenAt, inbox: Inbox): Promise<UdpSocket> {
    const type = isIPv6(at.address) ? 'udp6' : 'udp4'
    const socket = createSocket({ type, ipv6Only: type === 'udp6', recvBufferSize: RECEIVE_BUFFER_BYTES, lookup: LITERAL[type] })
    await new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close()
        reject(listenError('udp', at, error))
      })
      socket.bind({ address: at.address, port: at.port, exclusive: true }, resolve)
    })
    const udp = new UdpSocket(socket, inbox)
    socket.removeAllListeners('error')
    // Errors of sending come to `#sent`; one here concerns no peer we could name.
    socket.on('error', () => undefined)
    socket.on('message', (bytes, from) => udp.#receive(bytes, from))
    return udp
  }

  flowTo(remote: { address: string; port: number }): Flow {
    return { transport: 'udp', local: this.local, remote, connection: null }
  }

  /** False for what no datagram can carry. */
  send(bytes: Uint8Array, remote: { address: string; port: number }): boolean {
    if (bytes.length > MAX_DATAGRAM_BYTES) return false
    this.#inbox.counts.sent++
    this.#socket.send(bytes, remote.port, remote.address, this.#sent)
    return true
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    if (isKeepAlive(bytes)) {
      this.#inbox.counts.keepAlives++
      return
    }
    const remote = { address: from.address, port: from.port }
    if (isStun(bytes)) {
      this.#inbox.counts.keepAlives++
      const answer = stunAnswer(bytes, remote)
      if (answer !== null) this.send(answer, remote)
      else for (const hears of this.stunListeners) hears(bytes, remote)
      return
    }
    this.#inbox.take(bytes, this.flowTo(remote), (answer) => void this.send(answer, remote))
  }

  #sendFailed(error: NodeJS.ErrnoException & { address?: string; port?: number }): void {
    const { code = '', address, port } = error
    if (address === undefined || port === undefined || !UNREACHABLE.has(code)) return
    this.#inbox.failed(this.flowTo({ address, port }), code)
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
