import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, Server } from 'node:http'
import { createServer as createDoor, type Server as Door } from 'node:net'
import { getBuiltinModule } from 'node:process'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'
import { isKeepAlive } from '#sip/message/framing.ts'
import { MAX_BODY_BYTES, MAX_HEAD_BYTES } from '#sip/message/limits.ts'
import type { Connection, Connections } from '#sip/transport/connections.ts'
import type { Doorway } from '#sip/transport/doorway.ts'
import type { ListenAt } from '#sip/transport/port-taken.ts'
import { listening } from '#sip/transport/tcp.ts'
import { type TlsDoor, tlsDoor } from '#sip/transport/tls.ts'
import type { TlsKeys } from '#sip/transport/tls-keys.ts'

/** An import would load what `node:http` names besides, the whole of `fetch` with it: 4 MB. */
const { createServer } = getBuiltinModule('node:http')

/** May a page of that origin talk SIP to us? `origin` is absent for what is no browser. `host` is what the request was addressed to. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean

/** Pages that we serve ourselves, and what is no browser. */
export const sameOrigin: OriginCheck = (origin, host) => origin === undefined || (URL.parse(origin)?.host ?? null) === host

const PONG = Buffer.from('\r\n')

/** One WebSocket: a SIP message per frame (RFC 7118 §5). */
class WebSocketConnection implements Connection {
  readonly flow: Flow
  readonly #socket: WebSocket
  readonly #all: Connections
  readonly #ping: WheelTimer
  #answered = true
  #why = 'closed by the peer'
  #closed = false

  constructor(all: Connections, socket: WebSocket, flow: Flow) {
    this.flow = flow
    this.#all = all
    this.#socket = socket
    this.#ping = all.wheel.timer(() => this.#keepAlive())
    this.#ping.start(all.limits.pingMs)
    socket.on('message', (data) => this.#receive(data as Buffer))
    socket.on('pong', () => (this.#answered = true))
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#why = error.code ?? error.message))
    socket.on('close', () => this.#ended())
    all.add(this, true)
  }

  /** Text where the message is UTF-8, as browsers expect. */
  send(bytes: Uint8Array): boolean {
    if (this.#closed || this.#socket.readyState !== WebSocket.OPEN) return false
    if (this.#socket.bufferedAmount + bytes.length > this.#all.limits.outboundBytes) {
      this.#all.refused('outbound-full')
      this.#destroy('it does not read what we send')
      return false
    }
    this.#all.inbox.counts.sent++
    this.#socket.send(bytes, { binary: !isUtf8(bytes) })
    return true
  }

  close(why: string): void {
    if (this.#closed) return
    this.#why = why
    this.#socket.close(1001)
    this.#answered = false
    this.#ping.start(500)
  }

  drop(why: string): void {
    this.#destroy(why)
  }

  #receive(data: Buffer): void {
    this.#answered = true
    if (isKeepAlive(data)) {
      this.#all.inbox.counts.keepAlives++
      this.send(PONG)
    } else this.#all.inbox.take(data, this.flow, (answer) => void this.send(answer))
  }

  #keepAlive(): void {
    if (!this.#answered) return this.#destroy(this.#socket.readyState === WebSocket.OPEN ? 'idle' : this.#why)
    this.#answered = false
    this.#socket.ping()
    this.#ping.start(this.#all.limits.pingMs)
  }

  #destroy(why: string): void {
    this.#why = why
    this.#socket.terminate()
    this.#ended()
  }

  #ended(): void {
    if (this.#closed) return
    this.#closed = true
    this.#ping.stop()
    this.#all.remove(this, this.#why)
  }
}

/** Upgrades HTTP requests to SIP WebSockets, on a port of its own or for a web server that hands them over. */
export class WebSocketListener {
  readonly #all: Connections
  readonly #doorway: Doorway
  readonly #isAllowed: OriginCheck
  readonly #upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_HEAD_BYTES + MAX_BODY_BYTES + 4,
    handleProtocols: () => 'sip',
  })

  constructor(all: Connections, doorway: Doorway, isAllowed: OriginCheck) {
    this.#all = all
    this.#doorway = doorway
    this.#isAllowed = isAllowed
  }

  /** A server of our own, over TLS where there are keys; anything but an upgrade gets 426. Rejects with a `ListenError`. */
  async listen(at: ListenAt, keys: TlsKeys | null): Promise<WebSocketServerAt> {
    const http = createServer((_request, response) => response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end())
    http.on('upgrade', (request, socket, head) => this.upgrade(request, socket, head))
    http.on('clientError', (_error, socket) => socket.destroy())
    const tls = keys === null ? null : tlsDoor(keys, this.#doorway, this.#all.limits, (socket) => http.emit('connection', socket))
    const door = createDoor((socket) => {
      if (this.#doorway.enter(socket)) (tls?.server ?? http).emit('connection', socket)
    })
    return new WebSocketServerAt(http, { door, tls }, await listening(door, keys === null ? 'ws' : 'wss', at))
  }

  /** Takes over a connection that asks to be a WebSocket of subprotocol `sip` (RFC 7118 §4); answers 400, 403 or 503 otherwise. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { remoteAddress, remotePort, localAddress, localPort } = request.socket
    this.#doorway.leave(request.socket)
    const problem = this.#problem(request, remoteAddress && unmapped(remoteAddress))
    if (problem !== null || remoteAddress === undefined) {
      socket.end(`HTTP/1.1 ${problem ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const local = { address: unmapped(localAddress ?? ''), port: localPort ?? 0 }
    const remote = { address: unmapped(remoteAddress), port: remotePort ?? 0 }
    const transport = request.socket instanceof TLSSocket ? 'wss' : 'ws'
    this.#upgrader.handleUpgrade(
      request,
      socket,
      head,
      (ws) => new WebSocketConnection(this.#all, ws, this.#all.flow(transport, local, remote)),
    )
  }

  #problem(request: IncomingMessage, address: string | undefined): string | null {
    const { origin, host } = request.headers
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim().toLowerCase())
    if (!protocols.includes('sip')) return this.#refuse('400 Bad Request')
    if (!this.#isAllowed(origin, host)) return this.#refuse('403 Forbidden')
    return address !== undefined && this.#all.admits(address) ? null : '503 Service Unavailable'
  }

  #refuse(status: string): string {
    this.#all.refused('websocket')
    return status
  }
}

/** A dual-stack web server shows IPv4 peers as ::ffff:192.0.2.1. */
function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** A listening server of our own. */
export class WebSocketServerAt {
  readonly local: { readonly address: string; readonly port: number }
  readonly #http: Server
  readonly #door: Door
  readonly #tls: TlsDoor | null

  constructor(http: Server, { door, tls }: { door: Door; tls: TlsDoor | null }, local: { address: string; port: number }) {
    this.#http = http
    this.#door = door
    this.#tls = tls
    this.local = local
  }

  /** What is shown from the next handshake on. */
  renew(keys: TlsKeys): void {
    this.#tls?.renew(keys)
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#door.close(() => resolve())
      this.#http.closeAllConnections()
    })
  }
}
