import { createSocket, type Socket } from 'node:dgram'
import type { SocketAddress } from '#media/engine.ts'
import { isIpv6 } from '#media/socket/address.ts'
import type { BindFault, PacketOnlooker, PacketReceiver, PacketSocket } from '#media/socket/socket.ts'

/** One bound UDP socket. Port 0 takes any free one; such a port is lost (on Linux) when the socket is fixed and opened again. */
export function bindUdp(local: SocketAddress): Promise<UdpSocket | BindFault> {
  const ipv6 = isIpv6(local.address)
  const socket = createSocket({ type: ipv6 ? 'udp6' : 'udp4', ipv6Only: ipv6, lookup: takeLiterally })
  return new Promise((resolve) => {
    socket.once('error', (fault: NodeJS.ErrnoException) => {
      socket.close()
      const code = fault.code ?? fault.message
      resolve({ kind: code === 'EADDRINUSE' ? 'taken' : 'refused', port: local.port, code })
    })
    socket.bind({ address: local.address, port: local.port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(new UdpSocket(socket))
    })
  })
}

/** Addresses here are never names. Answering at once keeps the resolver and its deferred callbacks off the packet path. */
function takeLiterally(hostname: string, _options: unknown, done: (fault: null, address: string, family: number) => void): void {
  done(null, hostname, isIpv6(hostname) ? 6 : 4)
}

/** A packet socket over `node:dgram`. */
export class UdpSocket implements PacketSocket {
  readonly local: SocketAddress
  receive: PacketReceiver | null = null
  overhear: PacketOnlooker | null = null
  /** What the network told us about packets sent earlier (ICMP), and sends that failed. */
  faults = 0
  readonly #socket: Socket
  #fixed = false
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
    const { address, port } = socket.address()
    this.local = { address, port }
    socket.on('message', (packet, from) => {
      if (this.receive === null) return
      if (this.overhear !== null) this.overhear('in', packet, from)
      this.receive(packet, from.address, from.port)
    })
    socket.on('error', () => void this.faults++)
  }

  get fixed(): boolean {
    return this.#fixed
  }

  send(packet: Uint8Array, to: SocketAddress): void {
    if (this.#closed) return
    if (this.overhear !== null) this.overhear('out', packet, to)
    try {
      if (this.#fixed) this.#socket.send(packet)
      else this.#socket.send(packet, to.port, to.address)
    } catch {
      this.faults++
    }
  }

  fix(remote: SocketAddress | null): void {
    if (this.#closed) return
    try {
      if (this.#fixed) this.#socket.disconnect()
      this.#fixed = false
      if (remote === null) return
      this.#socket.connect(remote.port, remote.address)
      this.#fixed = this.#isConnected()
    } catch {
      this.faults++
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.receive = null
    this.#socket.close()
  }

  /** `connect` tells a refusal (no route) later, as an error event; what it has done it has done at once. */
  #isConnected(): boolean {
    try {
      return this.#socket.remoteAddress() !== undefined
    } catch {
      return false
    }
  }
}
