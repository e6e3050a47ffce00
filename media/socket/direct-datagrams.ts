import type { SocketAddress } from '#media/engine.ts'
import type { Arrivals, Arriving } from '#media/socket/arrivals.ts'
import { type Sender, theDepartures, LONGEST_TOGETHER } from '#media/socket/departures.ts'
import { TAKEN_TOGETHER, theIntake } from '#media/socket/intake.ts'
import { openBound } from '#media/socket/direct-socket.ts'
import { type BindFault, isBindFault } from '#media/socket/socket.ts'
import {
  closeDescriptor,
  errno,
  errorName,
  LONGEST_DATAGRAM,
  setReceiveRoom,
  setSendRoom,
  Source,
  Target,
} from '#media/socket/system-calls.ts'

/** A message costs as much of a turn as so many packets that are passed on: eight fill one. */
const WEIGHT = 64

/** What becomes of datagrams. */
export interface DatagramEvents {
  /** The bytes are the receiver's to keep; where they came from is the same object as long as it is the same. */
  onDatagram(bytes: Buffer, remote: SocketAddress): void
  /** The system refused to send there. `code`: its word for it, such as ENETUNREACH. */
  onRefused(remote: SocketAddress, code: string): void
}

export interface DatagramOptions extends DatagramEvents {
  /** What may wait while the process is busy, and while the network is, in the kernel's count; the system may grant less. */
  roomBytes: number
}

/** Binds. Port 0 takes any free one. */
export function bindDatagrams(local: SocketAddress, options: DatagramOptions): DirectDatagrams | BindFault {
  const socket = openBound(local, (fd, bound, arrivals) => new DirectDatagrams(fd, bound, { arrivals, options }))
  if (isBindFault(socket) || socket.hears) return socket
  socket.close()
  return { kind: 'refused', port: local.port, code: 'ENOSPC' }
}

/**
 * A UDP socket over direct system calls for messages that are kept and take long to handle, not packets that are passed on: what
 * waits is taken together (intake.ts) and handed on in bytes of its own, and what is sent leaves at the end of the turn (departures.ts).
 */
export class DirectDatagrams implements Arriving, Sender {
  readonly local: SocketAddress
  isEmptied = false
  /** False: the system does not tell of what arrives. */
  readonly hears: boolean
  readonly #events: DatagramEvents
  readonly #arrivals: Arrivals
  readonly #source = new Source()
  readonly #target = new Target()
  #remote: SocketAddress = { address: '', port: 0 }
  /** -1: closed. */
  #fd: number

  constructor(fd: number, local: SocketAddress, { arrivals, options }: { arrivals: Arrivals; options: DatagramOptions }) {
    this.#fd = fd
    this.local = local
    this.#events = options
    this.#arrivals = arrivals
    setReceiveRoom(fd, options.roomBytes)
    setSendRoom(fd, options.roomBytes)
    arrivals.opened()
    this.hears = arrivals.listen(fd, this)
  }

  get fd(): number {
    return this.#fd
  }

  take(): number {
    // Closed meanwhile.
    const taken = this.#fd < 0 ? 0 : theIntake().take(this.#fd)
    // What these are answered with leaves together.
    if (taken > 0) theDepartures().during(() => this.#handOn(taken))
    this.isEmptied = taken < TAKEN_TOGETHER
    return Math.max(1, taken * WEIGHT)
  }

  /** Until it is closed: whoever closes it hears no more. */
  #handOn(taken: number): void {
    const intake = theIntake()
    for (let slot = 0; slot < taken && this.#fd >= 0; slot++) {
      const source = this.#source
      if (!intake.sourceOf(slot, source)) continue
      const { address, port } = source
      if (port !== this.#remote.port || address !== this.#remote.address) this.#remote = { address, port }
      try {
        this.#events.onDatagram(intake.bytesOf(slot), this.#remote)
      } catch (fault) {
        // Thrown where nothing else is cut off by it: those that came together are all handed on.
        setImmediate(() => {
          throw fault
        })
      }
    }
  }

  /** At the end of the turn. */
  send(bytes: Uint8Array, remote: SocketAddress): void {
    if (this.#fd < 0) return
    if (bytes.length <= LONGEST_TOGETHER) theDepartures().add(this, bytes, remote)
    else this.#sendAlone(bytes, remote)
  }

  /** Told in a turn of its own: who sends is in the middle of something. */
  refused(remote: SocketAddress, code: string): void {
    setImmediate(() => this.#events.onRefused(remote, code))
  }

  /** What waits to be sent is sent before. Idempotent. */
  close(): void {
    if (this.#fd < 0) return
    theDepartures().flush()
    const fd = this.#fd
    this.#fd = -1
    this.#arrivals.ignore(fd)
    closeDescriptor(fd)
    this.#arrivals.closed()
  }

  #sendAlone(bytes: Uint8Array, remote: SocketAddress): void {
    // In the order in which they were given.
    theDepartures().flush()
    this.#target.aim(remote)
    if (bytes.length > LONGEST_DATAGRAM) this.refused(remote, 'EMSGSIZE')
    else if (!this.#target.send(this.#fd, bytes)) this.refused(remote, errorName(-errno()))
  }
}
