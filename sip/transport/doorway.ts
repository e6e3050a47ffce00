import type { Socket } from 'node:net'
import type { WheelTimer } from '#base/timer-wheel.ts'
import type { Connections } from '#sip/transport/connections.ts'

interface Waiting {
  readonly socket: Socket
  readonly address: string
  readonly timer: WheelTimer
}

/**
 * Peers that were let in and have yet to finish their TLS handshake or HTTP upgrade. They are few, they have little time, and when there are
 * too many the one that takes longest has to go: an honest handshake is over in a moment, so that thousands who never finish theirs cannot
 * keep the next honest peer out.
 */
export class Doorway {
  readonly #all: Connections
  /** In order of arrival. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #perAddress = new Map<string, number>()

  constructor(all: Connections) {
    this.#all = all
  }

  /** Peers on their way in. */
  get size(): number {
    return this.#waiting.size
  }

  /** False when it may not come in; it is closed then. */
  enter(socket: Socket): boolean {
    const { remoteAddress: address } = socket
    const { limits } = this.#all
    if (address === undefined || !this.#all.welcomes(address)) return refuse(socket)
    if ((this.#perAddress.get(address) ?? 0) >= limits.handshakesPerAddress) {
      this.#all.refused('connection-limit')
      return refuse(socket)
    }
    const [longest] = this.#waiting.values()
    if (this.#waiting.size >= limits.handshakes && longest !== undefined) this.#throwOut(longest)
    const key = keyOf(socket)
    const waiting = { socket, address, timer: this.#all.wheel.timer(() => this.#throwOut(waiting)) }
    waiting.timer.start(limits.handshakeMs)
    this.#waiting.set(key, waiting)
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1)
    // A TLS socket over this one tells of its errors itself.
    socket.on('error', () => undefined)
    socket.once('close', () => this.#gone(key, waiting))
    return true
  }

  /** It is in: what it does from now on is its connection's business. `socket` may be the TLS socket over the one that entered. */
  leave(socket: Socket): void {
    const key = keyOf(socket)
    const waiting = this.#waiting.get(key)
    if (waiting !== undefined) this.#gone(key, waiting)
  }

  /** Counts a handshake that failed and closes what is left of it. */
  failed(socket: Socket): void {
    this.#all.refused('handshake')
    socket.destroy()
  }

  close(): void {
    for (const { socket } of [...this.#waiting.values()]) socket.destroy()
  }

  #throwOut({ socket }: Waiting): void {
    this.#all.refused('handshake')
    this.leave(socket)
    socket.destroy()
  }

  #gone(key: string, waiting: Waiting): void {
    if (this.#waiting.get(key) !== waiting) return
    this.#all.inbox.connects(waiting.address)
    this.#waiting.delete(key)
    waiting.timer.stop()
    const left = (this.#perAddress.get(waiting.address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(waiting.address)
    else this.#perAddress.set(waiting.address, left)
  }
}

function refuse(socket: Socket): false {
  socket.destroy()
  return false
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
