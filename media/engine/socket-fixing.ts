import type { Millis } from '#base/clock.ts'
import type { SocketAddress } from '#media/engine.ts'
import { isWildcard } from '#media/socket/address.ts'
import type { PacketSocket } from '#media/socket/socket.ts'

/** A stream that was flowing and falls silent for so long, soon after its socket was fixed, is taken to have been cut off by that. */
const SILENT_MS: Millis = 400

/**
 * So long after it was fixed it is watched. What already waited in the socket is heard after the fixing, too, and proves nothing: it is more than a second
 * of audio at most, on a machine that was kept busy.
 */
const WATCHED_MS: Millis = 3000

/**
 * Decides when a socket may be fixed to its peer (PacketSocket.fix). A socket bound to one address may as soon as the peer is
 * known. On a wildcard address the kernel also fixes our own end, to the address its routes choose; a peer that sends to
 * another address of this machine would then go unheard. So there the peer must have been heard before, and go on to be heard
 * for a while; otherwise the socket is opened again and stays open.
 *
 *     open --settled, and heard if wildcard--> fixed, watched --3 s without a pause--> fixed
 *                                                    '--400 ms unheard--> open for good
 */
export class SocketFixing {
  readonly #socket: PacketSocket
  readonly #wildcard: boolean
  #wanted: SocketAddress | null = null
  /** While it is watched: since when it has been fixed, and when the peer was heard last. */
  #watched: { since: Millis; heardAt: Millis } | null = null
  #neverAgain = false

  constructor(socket: PacketSocket) {
    this.#socket = socket
    this.#wildcard = isWildcard(socket.local.address)
  }

  /** The one pair that may speak, or null while another may still come. */
  aim(pair: SocketAddress | null): void {
    if (pair !== null && this.#wanted !== null && pair.port === this.#wanted.port && pair.address === this.#wanted.address) return
    this.#wanted = pair
    this.#watched = null
    if (this.#socket.fixed) this.#socket.fix(null)
    if (pair !== null && !this.#wildcard) this.#socket.fix(pair)
  }

  /** A valid packet came from the pair. True: it is watched from now on. */
  heard(now: Millis): boolean {
    if (this.#watched !== null) this.#watched.heardAt = now
    if (!this.#wildcard || this.#neverAgain || this.#wanted === null || this.#socket.fixed) return false
    this.#socket.fix(this.#wanted)
    this.#watched = { since: now, heardAt: now }
    return true
  }

  /** When `housekeep` has something to do: Infinity while nothing is watched. */
  get dueAt(): Millis {
    return this.#watched === null ? Number.POSITIVE_INFINITY : this.#watched.heardAt + SILENT_MS
  }

  housekeep(now: Millis): void {
    const watched = this.#watched
    if (watched === null) return
    if (now - watched.heardAt >= SILENT_MS) {
      this.#neverAgain = true
      this.#socket.fix(null)
    } else if (now - watched.since < WATCHED_MS) return
    this.#watched = null
  }
}
