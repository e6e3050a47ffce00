import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { Connections, StreamLimits } from '#sip/transport/connections.ts'
import type { Doorway } from '#sip/transport/doorway.ts'
import type { ListenAt } from '#sip/transport/port-taken.ts'
import { listening, StreamConnection } from '#sip/transport/tcp.ts'
import type { TlsKeys } from '#sip/transport/tls-keys.ts'

/** Where accepted sockets go through their TLS handshake. It listens on nothing itself. */
export interface TlsDoor {
  readonly server: TlsServer
  renew(keys: TlsKeys): void
}

/** `onIn` gets the TLS sockets of peers whose handshake is done; they have not left the doorway yet. */
export function tlsDoor(
  keys: TlsKeys,
  doorway: Doorway,
  limits: Pick<StreamLimits, 'handshakeMs'>,
  onIn: (socket: Socket) => void,
): TlsDoor {
  const server = createTlsServer(keys.serverOptions(2 * limits.handshakeMs), onIn)
  server.on('tlsClientError', (_error, socket) => doorway.failed(socket))
  return { server, renew: (renewed) => server.setSecureContext(renewed.defaultContext()) }
}

/** Accepts TLS connections at one address. */
export class TlsListener {
  readonly local: { readonly address: string; readonly port: number }
  readonly #server: Server
  readonly #door: TlsDoor

  private constructor(server: Server, door: TlsDoor, local: { address: string; port: number }) {
    this.#server = server
    this.#door = door
    this.local = local
  }

  /** Rejects with a `ListenError`. */
  static async listen(at: ListenAt, all: Connections, doorway: Doorway, keys: TlsKeys): Promise<TlsListener> {
    const door = tlsDoor(keys, doorway, all.limits, (socket) => {
      doorway.leave(socket)
      StreamConnection.accepted(all, socket, 'tls')
    })
    const server = createServer((socket) => {
      if (doorway.enter(socket)) door.server.emit('connection', socket)
    })
    return new TlsListener(server, door, await listening(server, 'tls', at))
  }

  /** What is shown from the next handshake on; connections that stand are left alone. */
  renew(keys: TlsKeys): void {
    this.#door.renew(keys)
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
