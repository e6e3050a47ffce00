import type { SocketAddress } from '#media/engine.ts'
import { isIpv6 } from '#media/socket/address.ts'
import type { BindFault, PacketOnlooker, PacketReceiver, PacketSocket } from '#media/socket/socket.ts'
import {
  arrivedAt,
  bindSocket,
  closeDescriptor,
  connectSocket,
  errorName,
  EVENTS_AT_ONCE,
  gather,
  localOf,
  lookAt,
  openGathering,
  openSocket,
  receiveDatagram,
  received,
  sendDatagram,
  setReceiveRoom,
  Source,
  Target,
  ungather,
  watch,
  whyNot,
} from '#media/socket/system-calls.ts'

/**
 * How many datagrams are taken before the event loop goes on with what else there is: each socket that has something gives one in turn, so that
 * whoever floods one, or many, does not keep the others waiting.
 */
const MOST_AT_ONCE = 512
/** While more sockets wait than one look can name: several of one socket together cost less, as all that they need is at hand in the processor's caches. */
const MOST_IN_A_ROW = 8

/**
 * What may wait in a socket, in the kernel's count, which doubles it and takes 600 bytes and more for a small packet: a second and more of
 * audio, in case that this process is kept from running; and all that a flood over ports that are not in use can make the kernel keep.
 */
const ROOM_BYTES = 65_536
/** More datagrams than that holds. */
const MOST_STALE = 512

/** All sockets of this process that somebody listens on, behind one descriptor that libuv watches. */
class Arrivals {
  readonly #gathering: number
  readonly #watch: { begin(): void; end(): void }
  /** By descriptor. */
  readonly #sockets: (DirectSocket | undefined)[] = []
  #open = 0
  #isDue = false

  private constructor(gathering: number) {
    this.#gathering = gathering
    const begun = watch(gathering, () => this.#arrived())
    if (begun === null) throw new Error('libuv does not watch the descriptor')
    this.#watch = begun
    // Nothing calls into this process once it is being taken down.
    process.once('exit', () => this.#watch.end())
  }

  static open(): Arrivals {
    const gathering = openGathering()
    if (gathering < 0) throw new Error(`no descriptor to gather sockets with (${errorName(gathering)})`)
    return new Arrivals(gathering)
  }

  /** A socket is open: the process lives until it is closed. */
  opened(): void {
    if (this.#open++ === 0) this.#watch.begin()
  }

  closed(): void {
    if (--this.#open === 0) this.#watch.end()
  }

  listen(fd: number, socket: DirectSocket): void {
    this.#sockets[fd] = socket
    gather(this.#gathering, fd)
  }

  ignore(fd: number): void {
    this.#sockets[fd] = undefined
    ungather(this.#gathering, fd)
  }

  /** Called by C, where nothing may be thrown: the work is done in the same turn of the event loop, where ticks and promises go on behind it. */
  #arrived(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(this.#take)
  }

  #take = (): void => {
    this.#isDue = false
    let isBehind = false
    for (let left = MOST_AT_ONCE; left > 0; ) {
      const count = lookAt(this.#gathering)
      if (count <= 0) return
      const most = isBehind ? MOST_IN_A_ROW : 1
      for (let i = 0; i < count; i++) left -= this.#sockets[arrivedAt(i)]?.take(most) ?? 1
      isBehind = count === EVENTS_AT_ONCE
    }
  }
}

let arrivals: Arrivals | null = null

/** Why sockets cannot be opened by direct system calls here; null: they can. */
export function whyNotDirect(): string | null {
  if (whyNot !== null) return whyNot
  try {
    arrivals ??= Arrivals.open()
    return null
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault)
  }
}

/** One bound UDP socket. Port 0 takes any free one; such a port is lost when the socket is fixed and opened again. */
export function bindDirect(local: SocketAddress): DirectSocket | BindFault {
  const { port } = local
  const why = whyNotDirect()
  if (why !== null || arrivals === null) return { kind: 'refused', port, code: why ?? '' }
  const fd = openSocket(isIpv6(local.address) ? 'IPv6' : 'IPv4')
  if (fd < 0) return { kind: 'refused', port, code: errorName(fd) }
  const refusal = bindSocket(fd, local)
  const bound = refusal === 0 ? localOf(fd) : null
  if (bound !== null) return new DirectSocket(fd, bound, arrivals)
  closeDescriptor(fd)
  const code = errorName(refusal)
  return { kind: code === 'EADDRINUSE' ? 'taken' : 'refused', port, code }
}

/** A packet socket over direct system calls. What arrives while nobody listens stays in the kernel and is thrown away there. */
export class DirectSocket implements PacketSocket {
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
