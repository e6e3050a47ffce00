import type { Millis } from '#base/clock.ts'
import { type KeptRollover, SrtpReceiver } from '#media/srtp/receiver.ts'
import { SrtpSender } from '#media/srtp/sender.ts'
import type { StreamCrypto } from '#media/srtp/suites.ts'

/** What is still on its way under the key before is heard for so long after a change. */
const OLD_KEY_MS: Millis = 5000

/** Between two looks at the counters. */
const LOOK_MS: Millis = 200

/**
 * Whether one endpoint's packets are protected, and by which keys. A change of the peer's key is heard under both for a while (RFC 4568
 * §7.1.4); our own key and its index go on as long as the key is the same, whatever else changes. A key that cannot be used lets nothing through.
 */
export class Secrecy {
  /** Packets go in clear. */
  isOff = true
  /** Packets that were not authentic, and that had come before; dropped. */
  badTags = 0
  replays = 0
  #sender: SrtpSender | null = null
  #receiver: SrtpReceiver | null = null
  #previous: SrtpReceiver | null = null
  #previousUntil: Millis = 0

  /** `kept`: where the peer's stream was in an engine that died. */
  aim(crypto: StreamCrypto | null, now: Millis, kept: KeptRollover | null): void {
    this.isOff = crypto === null
    if (crypto === null) return
    if (this.#sender?.is(crypto.send) !== true) this.#sender = SrtpSender.open(crypto.send)
    if (this.#receiver?.is(crypto.receive) === true) return
    this.#previous = this.#receiver
    this.#previousUntil = now + OLD_KEY_MS
    // A new key does not reset the rollover counter (RFC 3711 §3.3.1). Some peers do: where it is not, it is looked for.
    this.#receiver = SrtpReceiver.open(crypto.receive, kept === null ? (this.#previous?.rollovers ?? []) : [kept])
  }

  /** What is plain in an RTP packet, opened in place; null: not authentic, or not new. */
  open(packet: Buffer): Buffer | null {
    return this.#opened(packet, this.#receiver?.unprotect(packet) ?? -1, (old) => old.unprotect(packet))
  }

  /** The same of an RTCP packet. */
  openReport(packet: Buffer): Buffer | null {
    return this.#opened(packet, this.#receiver?.unprotectRtcp(packet) ?? -1, (old) => old.unprotectRtcp(packet))
  }

  #opened(packet: Buffer, end: number, byOldKey: (old: SrtpReceiver) => number): Buffer | null {
    const plainEnd = end < 0 && this.#previous !== null ? byOldKey(this.#previous) : end
    if (plainEnd >= 0) return packet.subarray(0, plainEnd)
    if (this.#receiver?.fault === 'replayed') this.replays++
    else this.badTags++
    return null
  }

  /** The packet in [from, to), protected, in a buffer that is used again soon; null: not to be sent. */
  seal(packet: Buffer, from: number, to: number): Buffer | null {
    return this.#sender?.protect(packet, from, to) ?? null
  }

  sealReport(packet: Buffer): Buffer | null {
    return this.#sender?.protectRtcp(packet) ?? null
  }

  /** Where the peer's stream is, for an engine that has to go on with it; null: at rollover 0. */
  get rollover(): KeptRollover | null {
    return this.#receiver?.rollovers[0] ?? null
  }

  /** When `housekeep` has something to do: while packets are protected, often enough that no counter is lost with an engine. */
  dueAt(now: Millis): Millis {
    return this.isOff ? Number.POSITIVE_INFINITY : now + LOOK_MS
  }

  /** To be called when it is due. A rollover counter that changed since last asked. */
  housekeep(now: Millis): KeptRollover | null {
    if (this.#previous !== null && now >= this.#previousUntil) this.#previous = null
    return this.#receiver?.takeRollover() ?? null
  }
}
