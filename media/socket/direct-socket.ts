import type { SocketAddress } from '#media/engine.ts'
import { isIpv6 } from '#media/socket/address.ts'
import { type Arrivals, type Arriving, theArrivals, whyNotDirect } from '#media/socket/arrivals.ts'
import type { BindFault, PacketOnlooker, PacketReceiver, PacketSocket } from '#media/socket/socket.ts'
import {
  bindSocket,
  closeDescriptor,
  connectSocket,
  errorName,
  localOf,
  openSocket,
  receiveDatagram,
  received,
  sendDatagram,
  setReceiveRoom,
  Source,
  Target,
} from '#media/socket/system-calls.ts'

/**
 * What may wait in a socket, in the kernel's count, which doubles it and takes 600 bytes and more for a small packet: a second and more of
 * audio, in case that this process is kept from running; and all that a flood over ports that are not in use can make the kernel keep.
 */
const ROOM_BYTES = 65_536
/** More datagrams than that holds. */
const MOST_STALE = 512

/** One bound UDP socket. Port 0 takes any free one; such a port is lost when the socket is fixed and opened again. */
export function bindDirect(local: SocketAddress): DirectSocket | BindFault {
  return openBound(local, (fd, bound, arrivals) => new DirectSocket(fd, bound, arrivals))
}

/** Opens and binds a descriptor and makes of it what `make` does. */
export function openBound<Made>(
  local: SocketAddress,
  make: (fd: number, bound: SocketAddress, arrivals: Arrivals) => Made,
): Made | BindFault {
  const { port } = local
  const arrivals = theArrivals()
  if (arrivals === null) return { kind: 'refused', port, code: whyNotDirect() ?? '' }
  const fd = openSocket(isIpv6(local.address) ? 'IPv6' : 'IPv4')
  if (fd < 0) return { kind: 'refused', port, code: errorName(fd) }
  const refusal = bindSocket(fd, local)
  const bound = refusal === 0 ? localOf(fd) : null
  if (bound !== null) return make(fd, bound, arrivals)
  closeDescriptor(fd)
  const code = errorName(refusal)
  return { kind: code === 'EADDRINUSE' ? 'taken' : 'refused', port, code }
}

/** A packet socket over direct system calls. What arrives while nobody listens stays in the kernel and is thrown away there. */
export class DirectSocket implements PacketSocket, Arriving {
  readonly local: SocketAddress
  overhear: PacketOnlooker | null = null
  /** What the network did not take. */
  faults = 0
  readonly #arrivals: Arrivals
  readonly #source = new Source()
  /** -1: closed. */
  #fd: number
  #receive: PacketReceiver | null = null
  /** Is watched: until something arrives that nobody listens to. */
  #gathered = false
  readonly #target = new Target()
  #fixed = false

  constructor(fd: number, local: SocketAddress, arrivals: Arrivals) {
    this.#fd = fd
    this.local = local
    this.#arrivals = arrivals
    setReceiveRoom(fd, ROOM_BYTES)
    arrivals.opened()
  }

  /** Each gives a few in turn, and does not look whether there is more. */
  get isEmptied(): boolean {
    return false
  }

  get fixed(): boolean {
    return this.#fixed
  }

  get receive(): PacketReceiver | null {
    return this.#receive
  }

  set receive(receive: PacketReceiver | null) {
    if (this.#fd < 0) return
    this.#receive = receive
    if (receive === null || this.#gathered) return
    // What came while nobody listened was dropped, as far as anybody can tell.
    for (let left = MOST_STALE; left > 0 && receiveDatagram(this.#fd) >= 0; ) left--
    this.#gathered = true
    this.#arrivals.listen(this.#fd, this)
  }

  /** Where calls come and go nothing arrives between two of them, and nothing is to be done: to be watched costs nothing. */
  #ignore(): void {
    if (!this.#gathered) return
    this.#gathered = false
    this.#arrivals.ignore(this.#fd)
  }

  /** Something has arrived: `most` datagrams of it are handed on. How many were, or were looked for. */
  take(most: number): number {
    for (let taken = 1; ; taken++) {
      const receive = this.#receive
      if (receive === null) {
        this.#ignore()
        return taken
      }
      const length = receiveDatagram(this.#fd)
      if (length < 0) return taken
      const source = this.#source
      if (source.take()) {
        const packet = received(length)
        if (this.overhear !== null) this.overhear('in', packet, source)
        receive(packet, source.address, source.port)
      }
      if (taken >= most) return taken
    }
  }

  send(packet: Uint8Array, to: SocketAddress): void {
    if (this.#fd < 0) return
    if (this.overhear !== null) this.overhear('out', packet, to)
    if (!(this.#fixed ? sendDatagram(this.#fd, packet) : this.#sendTo(packet, to))) this.faults++
  }

  #sendTo(packet: Uint8Array, to: SocketAddress): boolean {
    this.#target.aim(to)
    return this.#target.send(this.#fd, packet)
  }

  fix(remote: SocketAddress | null): void {
    if (this.#fd < 0) return
    if (this.#fixed) connectSocket(this.#fd, null)
    this.#fixed = remote !== null && connectSocket(this.#fd, remote)
    if (remote !== null && !this.#fixed) this.faults++
  }

  close(): void {
    if (this.#fd < 0) return
    this.#receive = null
    this.#ignore()
    const fd = this.#fd
    this.#fd = -1
    closeDescriptor(fd)
    this.#arrivals.closed()
  }
}
