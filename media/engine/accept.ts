import type { Millis } from '#base/clock.ts'
import type { SocketAddress, StreamParams } from '#media/engine.ts'

/** A peer whose port is as it was is heard again within so long. */
const RETURN_MS: Millis = 500

/** What the rule says of a packet's origin: `known` may speak; `new` may, once the packet has proved to be valid; nobody else. */
export type Verdict = 'known' | 'new' | 'stranger'

/**
 * Decides who may speak to one endpoint (see StreamParams.accept), and where it sends.
 *
 *     closed --aim exact--> fixed on the SDP's pair
 *     closed --aim latch--> waiting for the first valid packet from the address --> fixed on the pair it came from
 *     fixed by latch --aim, same address, same SDP pair--> the same
 *     fixed by latch --aim, same address, another SDP pair--> moving: the old pair goes on, until a valid packet from another
 *                                                            port of the address fixes that
 *     fixed by latch --resume, back from a hold--> returning: so is any port of the address, at once for who speaks as the peer did
 *                                                  before, for others once the old pair has been silent for RETURN_MS; until a
 *                                                  valid packet from the old pair confirms that, or one from another port fixes
 *                                                  another
 *     moving --resume--> moving
 *     any --aim, another address--> as from closed
 *
 * Addresses are compared as strings and must be canonical (socket/address.ts).
 */
export class AcceptRule {
  /** The pair that is heard and answered; null: nobody yet. */
  pair: SocketAddress | null = null
  /** Address that may fix a pair with any of its ports; null: none may. */
  #from: string | null = null
  /** The address a latch belongs to; null in exact mode. */
  #latchAddress: string | null = null
  #declared: SocketAddress | null = null
  /** The last pair that the SDP named: on hold it may name none, which is no move. */
  #named: SocketAddress | null = null
  /** Since when the next valid packet says which port it is; null: none does. */
  #returningSince: Millis | null = null

  /** `learnt`: a pair that this address had latched before the engine was started again. */
  aim(stream: Pick<StreamParams, 'remote' | 'accept'>, learnt: SocketAddress | null = null): void {
    const { remote, accept } = stream
    const namedBefore = this.#named
    this.#declared = remote
    this.#named = remote ?? namedBefore
    if (accept.mode === 'exact') {
      this.pair = remote
      this.#from = null
      this.#latchAddress = null
      this.#returningSince = null
      return
    }
    if (accept.address !== this.#latchAddress || this.pair === null) {
      this.#latchAddress = accept.address
      this.#named = remote
      this.pair = learnt !== null && learnt.address === accept.address ? learnt : null
      this.#from = this.pair === null ? accept.address : null
      this.#returningSince = null
    } else if (!samePair(namedBefore, this.#named)) {
      this.#from = accept.address
      this.#returningSince = null
    }
  }

  /**
   * The peer comes back from a hold. It may have sent nothing for minutes, and the NAT in front of it have forgotten its port: the audio then
   * comes from another port of the same address. `now`: from when on its silence counts; infinity: it may be silent.
   */
  resume(now: Millis): void {
    const isMoving = this.#from !== null && this.#returningSince === null
    if (this.#latchAddress === null || this.pair === null || isMoving) return
    this.#from = this.#latchAddress
    this.#returningSince = now
  }

  /** It is on hold again, before it was heard: nobody may take over meanwhile. */
  rest(): void {
    if (this.#returningSince === null) return
    this.#returningSince = null
    this.#from = null
  }

  /** A valid packet came from the `known` pair. True: it had come back from a hold, and no other may take over any more. */
  confirm(): boolean {
    if (this.#returningSince === null) return false
    this.#returningSince = null
    this.#from = null
    return true
  }

  /** Judges where a packet came from. */
  judge(address: string, port: number): Verdict {
    const pair = this.pair
    if (pair !== null && port === pair.port && address === pair.address) return 'known'
    return address === this.#from ? 'new' : 'stranger'
  }

  /**
   * Whether a valid packet from a `new` pair may fix it. `isSame`: it proves to be the peer's, or names the source that the peer's audio has named
   * before. Another program at the address of a peer that has only been on hold must not come before the peer's own next packet.
   */
  admits(isSame: boolean, now: Millis): boolean {
    return isSame || this.#returningSince === null || now - this.#returningSince >= RETURN_MS
  }

  /** A valid packet came from a `new` pair that is admitted: from now on it is the one. */
  fix(address: string, port: number): SocketAddress {
    this.#from = null
    this.#returningSince = null
    this.pair = { address, port }
    return this.pair
  }

  /** Whether another pair may still take over: then the socket must stay open to it. */
  get settled(): boolean {
    return this.pair !== null && this.#from === null
  }

  /** Learnt by a latch, not told by SDP; null in exact mode or while waiting. */
  get latched(): SocketAddress | null {
    return this.#latchAddress === null ? null : this.pair
  }

  /**
   * Where to send: the fixed pair; while a latch waits, the SDP's pair if that is the latch's own address (there is no NAT in
   * between, or it keeps addresses). Never to an address that nobody has spoken from and that the signalling does not vouch for.
   */
  get target(): SocketAddress | null {
    if (this.pair !== null || this.#latchAddress === null) return this.pair
    return this.#declared !== null && this.#declared.address === this.#latchAddress ? this.#declared : null
  }
}

function samePair(a: SocketAddress | null, b: SocketAddress | null): boolean {
  return a === b || (a !== null && b !== null && a.port === b.port && a.address === b.address)
}
