import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Flow, TransportName } from '#sip/agent.ts'
import { type Frame, StreamFramer } from '#sip/message/framing.ts'
import type { Malformed } from '#sip/message/malformed.ts'
import { parseMessage } from '#sip/message/parse.ts'
import type { Connection, Connections } from '#sip/transport/connections.ts'
import { type ListenAt, listenError } from '#sip/transport/port-taken.ts'
import type { TlsKeys } from '#sip/transport/tls-keys.ts'
import type { Destination } from '#sip/transport/transport.ts'

/** The answer to a ping (RFC 5626 §4.4.1). */
const PONG = Buffer.from('\r\n')
/** The system notices a peer that vanished without a word. */
const KEEP_ALIVE_MS = 60_000

/** One TCP connection, or TLS over it. */
export class StreamConnection implements Connection {
  readonly flow: Flow
  readonly #socket: Socket
  readonly #all: Connections
  readonly #framer = new StreamFramer()
  readonly #silence: WheelTimer
  readonly #message: WheelTimer
  /** What waits until the connection stands and its other end is known; null from then on. */
  #early: Uint8Array[] | null
  #earlyBytes = 0
  #why = 'closed by the peer'
  #closed = false

  private constructor(all: Connections, socket: Socket, flow: Flow, stands: boolean) {
    this.flow = flow
    this.#all = all
    this.#socket = socket
    this.#early = stands ? null : []
    this.#silence = all.wheel.after(stands ? all.limits.firstByteMs : all.limits.connectMs, () => this.#giveUp('idle'))
    this.#message = all.wheel.timer(() => this.#giveUp('slow'))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('data', (chunk) => {
      if (typeof chunk !== 'string') this.#receive(chunk)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#why = error.code ?? error.message))
    socket.on('close', () => this.#ended())
    all.add(this, stands)
  }

  /** A connection that a peer made; on TLS its handshake is done. */
  static accepted(all: Connections, socket: Socket, transport: 'tcp' | 'tls'): void {
    const { localAddress, localPort, remoteAddress, remotePort } = socket
    if (remoteAddress === undefined || remotePort === undefined || !all.welcomes(remoteAddress)) {
      socket.destroy()
      return
    }
    const local = { address: localAddress ?? '', port: localPort ?? 0 }
    const flow = all.flow(transport, local, { address: remoteAddress, port: remotePort })
    new StreamConnection(all, socket, flow, true)
  }

  /** A connection that we make; messages wait until it stands. `from`: the local address, undefined for the system's choice. */
  static connecting(all: Connections, to: Destination, from: string | undefined, keys: TlsKeys): StreamConnection {
    const at = { host: to.address, port: to.port, ...(from === undefined ? {} : { localAddress: from }) }
    const expects = to.transport === 'tls' ? (to.expects ?? { name: to.address, trust: 'authorities' }) : undefined
    const socket = expects === undefined ? connect(at) : connectTls({ ...at, ...keys.clientOptions(expects) })
    const local = { address: from ?? '', port: 0 }
    const flow = all.flow(expects === undefined ? 'tcp' : 'tls', local, { address: to.address, port: to.port }, expects)
    const connection = new StreamConnection(all, socket, flow, false)
    socket.once(expects === undefined ? 'connect' : 'secureConnect', () => {
      local.address = socket.localAddress ?? local.address
      local.port = socket.localPort ?? 0
      connection.#stands()
    })
    return connection
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closed || this.#socket.writableEnded) return false
    if (this.#socket.writableLength + this.#earlyBytes + bytes.length > this.#all.limits.outboundBytes) {
      this.#all.refused('outbound-full')
      this.#destroy('it does not read what we send')
      return false
    }
    this.#all.inbox.counts.sent++
    if (this.#early === null) {
      this.#socket.write(bytes)
      this.#silence.start(this.#all.limits.idleMs)
    } else {
      this.#early.push(bytes)
      this.#earlyBytes += bytes.length
    }
    return true
  }

  close(why: string): void {
    if (this.#closed) return
    this.#why = why
    // A peer that never reads would keep the socket half open.
    this.#silence.stop()
    this.#message.start(500)
    if (this.#early === null) this.#socket.end()
    else this.#destroy(why)
  }

  drop(why: string): void {
    this.#destroy(why)
  }

  #stands(): void {
    const early = this.#early ?? []
    this.#early = null
    this.#earlyBytes = 0
    for (const bytes of early) this.#socket.write(bytes)
    this.#silence.start(this.#all.limits.idleMs)
  }

  #receive(chunk: Buffer): void {
    this.#all.inbox.begins(this.flow)
    if (this.#socket.writableEnded) return
    this.#silence.start(this.#all.limits.idleMs)
    for (const frame of this.#framer.push(chunk)) this.#take(frame)
    if (this.#framer.pendingBytes === 0) this.#message.stop()
    else if (!this.#message.running) this.#message.start(this.#all.limits.messageMs)
  }

  #take(frame: Frame): void {
    const { inbox } = this.#all
    if (frame.kind === 'message') {
      this.#message.stop()
      if (!inbox.take(frame.bytes, this.flow, (answer) => void this.send(answer))) this.close('banned')
    } else if (frame.kind === 'ping') {
      inbox.counts.keepAlives++
      this.send(PONG)
    } else {
      // Nothing behind a message whose end is unknown can be trusted.
      inbox.refuse(malformedHead(frame), this.flow, (answer) => void this.send(answer))
      this.close(`framing: ${frame.rule}`)
    }
  }

  #giveUp(cause: 'idle' | 'slow'): void {
    if (this.#early !== null) return this.#destroy('ETIMEDOUT')
    if (!this.#socket.writableEnded) this.#all.refused(cause)
    this.#destroy(this.#socket.writableEnded ? this.#why : cause)
  }

  #destroy(why: string): void {
    this.#why = why
    this.#socket.destroy()
    this.#ended()
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    this.#silence.stop()
    this.#message.stop()
    this.#all.remove(this, this.#why)
  }
}

/** What the framer refused, as the parser would have. */
function malformedHead({ head, rule, status }: Extract<Frame, { kind: 'refused' }>): Malformed {
  const parsed = parseMessage(head)
  if (parsed.kind === 'malformed') return { ...parsed, rule, status }
  return { kind: 'malformed', rule, status, offset: 0, method: parsed.kind === 'request' ? parsed.method : null, headers: parsed.headers }
}

/** Accepts TCP connections at one address. */
export class TcpListener {
  readonly local: { readonly address: string; readonly port: number }
  readonly #server: Server

  private constructor(server: Server, local: { address: string; port: number }) {
    this.#server = server
    this.local = local
  }

  /** Rejects with a `ListenError`. */
  static async listen(at: ListenAt, all: Connections): Promise<TcpListener> {
    const server = createServer((socket) => StreamConnection.accepted(all, socket, 'tcp'))
    return new TcpListener(server, await listening(server, 'tcp', at))
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** Starts a server of either stream transport; gives the address it got. */
export async function listening(server: Server, transport: TransportName, at: ListenAt): Promise<{ address: string; port: number }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(transport, at, error)))
    server.listen({ host: at.address, port: at.port, ipv6Only: isIPv6(at.address), exclusive: true }, resolve)
  })
  server.removeAllListeners('error')
  // Accepting can fail for a moment when descriptors run out; the listener goes on.
  server.on('error', () => undefined)
  const bound = server.address()
  return bound === null || typeof bound === 'string' ? at : { address: bound.address, port: bound.port }
}
