import type { Millis } from '#base/clock.ts'
import type { SocketAddress } from '#media/engine.ts'
import { isWildcard } from '#media/socket/address.ts'
import type { PacketSocket } from '#media/socket/socket.ts'

/** A stream that was flowing must still flow so long after its socket was fixed. */
const PROOF_MS: Millis = 400

/**
 * Decides when a socket may be fixed to its peer (PacketSocket.fix). A socket bound to one address may as soon as the peer is
 * known. On a wildcard address the kernel also fixes our own end, to the address its routes choose; a peer that sends to
 * another address of this machine would then go unheard. So there the peer must have been heard before, and be heard again
 * soon after; otherwise the socket is opened again and stays open.
 *
 *     open --settled, and heard if wildcard--> fixed, to be proved --heard--> fixed
 *                                                    '--400 ms unheard--> open for good
 */
export class SocketFixing {
  readonly #socket: PacketSocket
  readonly #wildcard: boolean
  #wanted: SocketAddress | null = null
  #unprovedSince: Millis | null = null
  #neverAgain = false

  constructor(socket: PacketSocket) {
    this.#socket = socket
    this.#wildcard = isWildcard(socket.local.address)
  }

  /** The one pair that may speak, or null while another may still come. */
  aim(pair: SocketAddress | null): void {
    if (pair !== null && this.#wanted !== null && pair.port === this.#wanted.port && pair.address === this.#wanted.address) return
    this.#wanted = pair
    this.#unprovedSince = null
    if (this.#socket.fixed) this.#socket.fix(null)
    if (pair !== null && !this.#wildcard) this.#socket.fix(pair)
  }

  /** A valid packet came from the pair. */
  heard(now: Millis): void {
    this.#unprovedSince = null
    if (!this.#wildcard || this.#neverAgain || this.#wanted === null || this.#socket.fixed) return
    this.#socket.fix(this.#wanted)
    this.#unprovedSince = now
  }

  housekeep(now: Millis): void {
    if (this.#unprovedSince === null || now - this.#unprovedSince < PROOF_MS) return
    this.#unprovedSince = null
    this.#neverAgain = true
    this.#socket.fix(null)
  }
}
