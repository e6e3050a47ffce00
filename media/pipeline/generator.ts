import type { Millis } from '#base/clock.ts'
import { decodeInto, G711_PER_MS, type G711Law, isG711, transcodeInPlace } from '#media/codec/g711.ts'
import { EventSender } from '#media/dtmf/event-sender.ts'
import type { StreamParams } from '#media/engine.ts'
import { inbandDigits } from '#media/engine/inband-digits.ts'
import { EVENT_CLOCK_HZ, lawOf } from '#media/engine/stream.ts'
import type { Packetizer } from '#media/pipeline/packetizer.ts'
import type { Player } from '#media/engine/player.ts'
import type { Sender } from '#media/pipeline/sender.ts'
import { RTP_HEADER_BYTES } from '#media/rtp/header.ts'
import { nextScratch } from '#media/rtp/scratch.ts'

/** Samples at 8 kHz. */
const ENCODED_AT_ONCE = 160

/** What we say ourselves, packet time by packet time: digits before tones before the player. */
export class Generator {
  readonly #sender: Sender
  readonly #packetizer: Packetizer
  /** Made with the first digit. */
  #digits: EventSender | null = null
  /** Made when it is first needed: most endpoints never decode what they say. */
  #samples: Int16Array | null = null
  #player: Player | null = null
  /** Digits for a peer without telephone-events, in-band. */
  #tones: Player | null = null
  #onPlayerEnd: (() => void) | null = null
  #owedMs = 0
  /** Hears, as samples at 8 kHz, what has no peer to be sent to: the room whose own endpoint this is. */
  heardBy: ((pcm: Int16Array) => void) | null = null

  constructor(sender: Sender, packetizer: Packetizer) {
    this.#sender = sender
    this.#packetizer = packetizer
  }

  /** Something is being said, or about to be. */
  get active(): boolean {
    return this.#player !== null || this.#tones !== null || this.#digits?.active === true
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
    if (this.#digits?.active === true) {
      this.#sendEvent(this.#digits, now, ptimeMs)
      return
    }
    const player = this.#tones ?? this.#player
    if (player === null || waits) return
    const { stream } = this.#sender
    if (stream !== null && this.#sender.canSend) this.#sendAudio(player, stream, bytes, now)
    else if (stream === null && this.heardBy !== null) this.#say(player, bytes, this.heardBy)
    else {
      player.skip(bytes)
      this.#sender.outgoing.pause()
    }
    if (!player.ended) return
    if (player === this.#tones) this.#tones = null
    else this.#onPlayerEnd?.()
  }

  #say(player: Player, bytes: number, hear: (pcm: Int16Array) => void): void {
    const octets = nextScratch()
    player.fill(octets, 0, bytes)
    hear(this.#decode(player.codec, octets.subarray(0, bytes)))
  }

  #sendAudio(player: Player, stream: StreamParams, bytes: number, now: Millis): void {
    const packet = nextScratch()
    player.fill(packet, RTP_HEADER_BYTES, bytes)
    if (!isG711(stream.codec)) {
      this.#encode(packet.subarray(RTP_HEADER_BYTES, RTP_HEADER_BYTES + bytes), player.codec, now)
      return
    }
    if (player.codec !== stream.codec)
      transcodeInPlace(player.codec, stream.codec, packet.subarray(RTP_HEADER_BYTES, RTP_HEADER_BYTES + bytes))
    this.#sender.sendAudio(packet, stream, { bytes, ms: bytes / G711_PER_MS }, now)
  }

  /** What is kept as G.711, for a stream of another codec: 20 ms at a time. */
  #encode(octets: Uint8Array, law: G711Law, now: Millis): void {
    const pcm = this.#decode(law, octets)
    for (let at = 0; at < pcm.length; at += ENCODED_AT_ONCE)
      this.#packetizer.push(pcm.subarray(at, Math.min(pcm.length, at + ENCODED_AT_ONCE)), 8000, now)
  }

  #decode(law: G711Law, octets: Uint8Array): Int16Array {
    const room = (this.#samples ??= new Int16Array(60 * G711_PER_MS))
    return room.subarray(0, decodeInto(law, octets, room))
  }

  #sendEvent(digits: EventSender, now: Millis, ms: Millis): void {
    const { outgoing, stream } = this.#sender
    const ticks = (ms * outgoing.clockHz) / 1000
    const event = digits.step(outgoing.generate(now), ticks)
    if (event !== null && stream !== null && stream.dtmfPayloadType !== null && this.#sender.canSend) {
      const { marker, timestamp } = event
      this.#sender.sendEvent(digits.payload, { payloadType: stream.dtmfPayloadType, marker, timestamp }, now)
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
    if (stream.dtmfPayloadType !== null) {
      this.#digits ??= new EventSender()
      this.#digits.clocks(this.#sender.outgoing.clockHz, stream.dtmfClockHz ?? EVENT_CLOCK_HZ)
      this.#digits.queue(digits, toneMs, gapMs)
    } else this.#tones = inbandDigits(digits, lawOf(stream.codec), { toneMs, gapMs, after: this.#tones })
    this.#refresh()
  }

  #refresh(): void {
    this.#sender.generates = this.active
  }
}
