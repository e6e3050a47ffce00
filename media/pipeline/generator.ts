import type { Millis } from '#base/clock.ts'
import { G711_PER_MS, transcodeInPlace } from '#media/codec/g711.ts'
import { EventSender } from '#media/dtmf/event-sender.ts'
import type { StreamParams } from '#media/engine.ts'
import { inbandDigits } from '#media/engine/inband-digits.ts'
import type { Player } from '#media/engine/player.ts'
import type { Sender } from '#media/pipeline/sender.ts'
import { RTP_HEADER_BYTES } from '#media/rtp/header.ts'
import { nextScratch } from '#media/rtp/scratch.ts'

/** What we say ourselves, packet time by packet time: digits before tones before the player. */
export class Generator {
  readonly #sender: Sender
  readonly #digits = new EventSender()
  #player: Player | null = null
  /** Digits for a peer without telephone-events, in-band. */
  #tones: Player | null = null
  #onPlayerEnd: (() => void) | null = null
  #owedMs = 0

  constructor(sender: Sender) {
    this.#sender = sender
  }

  /** Something is being said, or about to be. */
  get active(): boolean {
    return this.#player !== null || this.#tones !== null || this.#digits.active
  }

  /** `ms` passed. `waits`: the peer is not reachable yet, what it shall hear waits; digits do not. False: nothing was to be said. */
  beat(now: Millis, ms: Millis, waits: boolean): boolean {
    if (!this.active) {
      this.#owedMs = 0
      return false
    }
    const ptimeMs = this.#sender.stream?.ptimeMs ?? ms
    for (this.#owedMs += ms; this.#owedMs >= ptimeMs; this.#owedMs -= ptimeMs) this.#generate(now, ptimeMs, waits)
    this.#refresh()
    return true
  }

  #generate(now: Millis, ptimeMs: Millis, waits: boolean): void {
    const bytes = ptimeMs * G711_PER_MS
    if (this.#digits.active) {
      this.#sendEvent(now, bytes)
      return
    }
    const player = this.#tones ?? this.#player
    if (player === null || waits) return
    const { stream } = this.#sender
    if (stream !== null && this.#sender.canSend) this.#sendAudio(player, stream, bytes, now)
    else player.skip(bytes)
    if (!player.ended) return
    if (player === this.#tones) this.#tones = null
    else this.#onPlayerEnd?.()
  }

  #sendAudio(player: Player, stream: StreamParams, bytes: number, now: Millis): void {
    const packet = nextScratch()
    player.fill(packet, RTP_HEADER_BYTES, bytes)
    if (player.codec !== stream.codec)
      transcodeInPlace(player.codec, stream.codec, packet.subarray(RTP_HEADER_BYTES, RTP_HEADER_BYTES + bytes))
    this.#sender.sendAudio(packet, stream, bytes, now)
  }

  #sendEvent(now: Millis, ticks: number): void {
    const { outgoing, stream } = this.#sender
    const event = this.#digits.step(outgoing.generate(now), ticks)
    if (event !== null && stream !== null && stream.dtmfPayloadType !== null && this.#sender.canSend) {
      const { marker, timestamp } = event
      this.#sender.sendEvent(this.#digits.payload, { payloadType: stream.dtmfPayloadType, marker, timestamp }, now)
    }
    outgoing.advance(ticks)
  }

  /** From the next beat on the player is heard instead of the peer. `ended` is called when it has nothing more; the caller then stops it. */
  play(player: Player, ended: () => void): void {
    this.#player = player
    this.#onPlayerEnd = ended
    this.#refresh()
  }

  stop(): void {
    this.#player = null
    this.#onPlayerEnd = null
    this.#refresh()
  }

  /** Digits to the peer: RFC 4733 events, or tones in-band. What is no digit is skipped. */
  digits(digits: string, stream: StreamParams, toneMs?: Millis, gapMs?: Millis): void {
    if (stream.dtmfPayloadType !== null) this.#digits.queue(digits, toneMs, gapMs)
    else this.#tones = inbandDigits(digits, stream.codec, { toneMs, gapMs, after: this.#tones })
    this.#refresh()
  }

  #refresh(): void {
    this.#sender.generates = this.active
  }
}
