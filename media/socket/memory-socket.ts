import type { SocketAddress } from '#media/engine.ts'
import type { BindFault, PacketOnlooker, PacketReceiver, PacketSocket, PairBinder, PortPair } from '#media/socket/socket.ts'

/** A network in memory, for tests on virtual time: what is sent arrives at once. Addresses need not exist. */
export class MemoryNetwork implements PairBinder {
  /** Whether sockets keep what they received, for assertions; a day of calls would be too much. */
  readonly keeps: boolean
  readonly #sockets = new Map<string, MemorySocket>()

  constructor({ keeps = true }: { keeps?: boolean } = {}) {
    this.keeps = keeps
  }

  /** Ports that another program is said to have, by port. */
  readonly taken = new Map<number, string>()

  async bind(local: SocketAddress): Promise<PortPair | BindFault> {
    const [rtpPort, rtcpPort] = [local.port, local.port + 1]
    for (const port of [rtpPort, rtcpPort]) {
      if (this.taken.has(port) || this.#sockets.has(keyOf({ ...local, port }))) return { kind: 'taken', port, code: 'EADDRINUSE' }
    }
    return { local, rtp: this.open(local), rtcp: this.open({ ...local, port: rtcpPort }) }
  }

  async ownerOf(port: number): Promise<string | null> {
    return this.taken.get(port) ?? null
  }

  /** A single socket: a phone's, or an attacker's. */
  open(local: SocketAddress): MemorySocket {
    const socket = new MemorySocket(local, this)
    this.#sockets.set(keyOf(local), socket)
    return socket
  }

  /** Sockets now open: a leak check for tests. */
  get bound(): number {
    return this.#sockets.size
  }

  deliver(packet: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    this.#sockets.get(keyOf(to))?.take(packet, from)
  }

  drop(socket: MemorySocket): void {
    this.#sockets.delete(keyOf(socket.local))
  }
}

/** A socket of a MemoryNetwork. Keeps what it received, too. */
export class MemorySocket implements PacketSocket {
  readonly local: SocketAddress
  receive: PacketReceiver | null = null
  overhear: PacketOnlooker | null = null
  /** Everything that reached this socket, in order. */
  readonly received: Buffer[] = []
  readonly #network: MemoryNetwork
  #remote: SocketAddress | null = null

  constructor(local: SocketAddress, network: MemoryNetwork) {
    this.local = local
    this.#network = network
  }

  get fixed(): boolean {
    return this.#remote !== null
  }

  send(packet: Uint8Array, to: SocketAddress): void {
    this.overhear?.('out', packet, to)
    this.#network.deliver(packet, this.local, this.#remote ?? to)
  }

  fix(remote: SocketAddress | null): void {
    this.#remote = remote
  }

  close(): void {
    this.receive = null
    this.#network.drop(this)
  }

  take(packet: Uint8Array, from: SocketAddress): void {
    if (this.#remote !== null && keyOf(this.#remote) !== keyOf(from)) return
    const copy = Buffer.from(packet)
    if (this.#network.keeps) this.received.push(copy)
    if (this.receive === null) return
    this.overhear?.('in', copy, from)
    const handed = Buffer.from(copy)
    this.receive(handed, from.address, from.port)
    // As on a real socket the next datagram comes in the same place: whoever kept these bytes shall notice.
    handed.fill(0xee)
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`
}
