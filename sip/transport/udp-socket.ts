import { isIPv6 } from 'node:net'
import type { Flow } from '#sip/agent.ts'
import { isKeepAlive } from '#sip/message/framing.ts'
import type { BindDatagrams, DatagramRemote, DatagramSocket } from '#sip/transport/datagrams.ts'
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

/** All are forgotten then, which costs less than knowing which was used last. Some 300 bytes each. */
const MOST_FLOWS = 16_384

/** One UDP socket. */
export class UdpSocket {
  readonly local: DatagramRemote
  readonly isV6: boolean
  readonly #socket: DatagramSocket
  readonly #inbox: Inbox
  /** Those met lately, by address and port. */
  readonly #flows = new Map<string, Map<number, Flow>>()
  #flowCount = 0
  /** Who was met last at a port: nearly always whom it is about, which is known without V8 entering the address in its table of texts. */
  readonly #latest = new Map<number, Flow>()
  /** Hear STUN that is no request. */
  readonly stunListeners = new Set<(bytes: Uint8Array, remote: DatagramRemote) => void>()

  private constructor(socket: DatagramSocket, inbox: Inbox) {
    this.local = socket.local
    this.isV6 = isIPv6(socket.local.address)
    this.#socket = socket
    this.#inbox = inbox
  }

  /** Binds and begins to deliver. Rejects with a `ListenError`. */
  static async bind(at: ListenAt, inbox: Inbox, bind: BindDatagrams): Promise<UdpSocket> {
    // What comes before the promise is kept is lost, as it would have been a moment earlier.
    let udp: UdpSocket | null = null
    const socket = await bind(
      { address: at.address, port: at.port },
      {
        roomBytes: RECEIVE_BUFFER_BYTES,
        onDatagram: (bytes, remote) => {
          if (udp !== null) udp.#receive(bytes, remote)
        },
        onRefused: (remote, code) => {
          if (udp !== null) udp.#refused(remote, code)
        },
      },
    ).catch((error: NodeJS.ErrnoException) => {
      throw listenError('udp', at, error)
    })
    udp = new UdpSocket(socket, inbox)
    return udp
  }

  /** The same object as long as a peer is heard of often: transactions, dialogs and the trace share it. */
  flowTo(remote: DatagramRemote): Flow {
    const latest = this.#latest.get(remote.port)
    if (latest !== undefined && latest.remote.address === remote.address) return latest
    const flow = this.#flowOf(remote)
    this.#latest.set(remote.port, flow)
    return flow
  }

  #flowOf(remote: DatagramRemote): Flow {
    let ofAddress = this.#flows.get(remote.address)
    const known = ofAddress?.get(remote.port)
    if (known !== undefined) return known
    if (this.#flowCount++ >= MOST_FLOWS) {
      this.#flows.clear()
      this.#latest.clear()
      this.#flowCount = 1
      ofAddress = undefined
    }
    if (ofAddress === undefined) this.#flows.set(remote.address, (ofAddress = new Map()))
    const flow: Flow = { transport: 'udp', local: this.local, remote, connection: null }
    ofAddress.set(remote.port, flow)
    return flow
  }

  /** False for what no datagram can carry. */
  send(bytes: Uint8Array, remote: DatagramRemote): boolean {
    if (bytes.length > MAX_DATAGRAM_BYTES) return false
    this.#inbox.counts.sent++
    this.#socket.send(bytes, remote)
    return true
  }

  close(): Promise<void> {
    return this.#socket.close()
  }

  #receive(bytes: Buffer, remote: DatagramRemote): void {
    if (isKeepAlive(bytes)) {
      this.#inbox.counts.keepAlives++
      return
    }
    if (isStun(bytes)) {
      this.#inbox.counts.keepAlives++
      const answer = stunAnswer(bytes, remote)
      if (answer !== null) this.send(answer, remote)
      else for (const hears of this.stunListeners) hears(bytes, remote)
      return
    }
    this.#inbox.take(bytes, this.flowTo(remote), (answer) => void this.send(answer, remote))
  }

  #refused(remote: DatagramRemote, code: string): void {
    if (UNREACHABLE.has(code)) this.#inbox.failed(this.flowTo(remote), code)
  }
}
