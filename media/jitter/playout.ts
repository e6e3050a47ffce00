import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS, type Decoder, LONGEST_PACKET_MS, type RateHz } from '#media/codec/codec.ts'
import { openDecoder, payloadMs } from '#media/codec/streams.ts'
import { ComfortNoise } from '#media/dsp/comfort-noise.ts'
import { Doubler, Halver } from '#media/dsp/half-band.ts'
import { shorten } from '#media/dsp/shorten.ts'
import type { Codec, PlayoutFigures } from '#media/engine.ts'
import { DelayEstimate, MOST_DELAY_MS } from '#media/jitter/delay.ts'
import { PacketRing, type Slot } from '#media/jitter/packet-ring.ts'
import type { RtpHeader } from '#media/rtp/header.ts'

/** Nothing comes for so long while playing: the stream has paused, and gathers anew when it goes on. */
const PAUSED_MS: Millis = 80

/** Longest pull. */
const MOST_PULL_MS: Millis = 40

/** The least that waited within so many pulls shows whether more is held back than needed. */
const WATCHED_PULLS = 100
const IDLE_MS: Millis = 10

/** A step is what is concealed, or waited through, at once. */
const STEP_MS: Millis = 10

/** So much more than wanted is shed at once instead of being shortened away. */
const SHED_MS: Millis = 150

/**
 * One incoming stream as continuous audio at our own pace: packets in as they arrive, in any order, twice or never; samples out, 20 ms after 20 ms.
 * Holds back just enough (20 to 200 ms, by what the network does), conceals what is missing, and follows the sender's clock.
 *
 *     gathering --enough waits--> playing --nothing for 80 ms, or a pause in the stream--> gathering
 *                                    '--lost: concealed; too much waits: shortened'
 */
export class Playout {
  /** Of what is pulled. */
  readonly rateHz: RateHz
  readonly #ring = new PacketRing()
  readonly #delay = new DelayEstimate()
  #codec: Codec | null = null
  #decoder: Decoder | null = null
  #halver: Halver | null = null
  #doubler: Doubler | null = null
  #noise: ComfortNoise | null = null
  #ssrc = -1
  #playing = false
  /** Timestamp behind what was played last. */
  #due = 0
  /** What was concealed while nothing waited, and may yet turn out to stand for packets that are lost. */
  #bridgedMs = 0
  #packetMs = 20
  /** Decoded and not yet pulled, at `rateHz`. */
  readonly #ready: Int16Array
  #readyLength = 0
  readonly #native: Int16Array
  #pulls = 0
  #least = Number.POSITIVE_INFINITY
  late = 0
  duplicates = 0
  concealedMs = 0
  shortenedMs = 0

  constructor(rateHz: RateHz) {
    this.rateHz = rateHz
    this.#ready = new Int16Array(((LONGEST_PACKET_MS + 2 * MOST_PULL_MS) * rateHz) / 1000)
    this.#native = new Int16Array(LONGEST_PACKET_MS * 16)
  }

  get figures(): PlayoutFigures {
    const { late, duplicates, concealedMs, shortenedMs } = this
    return { late, duplicates, concealedMs, shortenedMs, delayMs: this.#delay.ms }
  }

  /** Nothing is playing and nothing waits: pulling gives silence. */
  get isIdle(): boolean {
    return !this.#playing && this.#ring.count === 0 && this.#readyLength === 0 && this.#noise === null
  }

  /** The G.711 payload that the next pull will begin with, for those who want to know how loud it is without decoding; null: not so. */
  get ahead(): Slot | null {
    return this.#playing ? this.#ring.front : null
  }

  /** A packet of audio. */
  audio(header: RtpHeader, codec: Codec, payload: Uint8Array): void {
    const ms = payloadMs(codec, payload)
    if (ms <= 0 || ms > LONGEST_PACKET_MS) return
    if (codec !== this.#codec) this.#change(codec)
    this.#packetMs = ms
    this.#put(header, 'audio', ms, payload)
  }

  /** Comfort noise (RFC 3389): until audio comes again this is what the silence sounds like. */
  noise(header: RtpHeader, codec: Codec, payload: Uint8Array): void {
    if (this.#codec === null) this.#change(codec)
    this.#put(header, 'noise', 0, payload)
  }

  /** A packet of the stream that is no audio, such as a telephone-event: its number is not missing. */
  other(header: RtpHeader): void {
    if (this.#codec !== null) this.#put(header, 'event', 0, NOTHING)
  }

  #put(header: RtpHeader, kind: 'audio' | 'noise' | 'event', ms: Millis, payload: Uint8Array): void {
    const { sequence, timestamp, arrivedAt } = header
    if (header.ssrc !== this.#ssrc) this.#restart(header.ssrc)
    const packet = { sequence, timestamp, ticks: ms * this.#ticksPerMs, kind }
    let put = this.#ring.put(packet, payload)
    if (put === 'leap') {
      this.#restart(header.ssrc)
      put = this.#ring.put(packet, payload)
    }
    if (put === 'duplicate') this.duplicates++
    else if (kind === 'audio') this.#delay.packet(arrivedAt, timestamp, this.#ticksPerMs)
    if (put === 'late') this.late++
  }

  get #ticksPerMs(): number {
    return CODEC_TERMS[this.#codec ?? 'PCMA'].clockHz / 1000
  }

  #change(codec: Codec): void {
    this.#decoder?.free()
    this.#codec = codec
    this.#decoder = openDecoder(codec, this.rateHz)
    this.#halver = this.#decoder.rateHz > this.rateHz ? new Halver() : null
    this.#doubler = this.#decoder.rateHz < this.rateHz ? new Doubler() : null
    this.#restart(this.#ssrc)
  }

  #restart(ssrc: number): void {
    this.#ssrc = ssrc
    this.#ring.clear()
    this.#delay.restart()
    this.#playing = false
    this.#bridgedMs = 0
    this.#noise = null
  }

  /** Fills the whole of `out` (at most 40 ms). False: nothing but silence was to be had. */
  pull(out: Int16Array): boolean {
    let heard = false
    while (this.#readyLength < out.length) heard = this.#step() || heard
    heard ||= this.#playing
    out.set(this.#ready.subarray(0, out.length))
    this.#ready.copyWithin(0, out.length, this.#readyLength)
    this.#readyLength -= out.length
    if (this.#playing) this.#watch()
    return heard
  }

  /** Time passes and nobody listens: as `pull`, without decoding what can be left out. The codec's state is lost for a moment; for G.711 it has none. */
  skip(samples: number): void {
    while (this.#readyLength < samples) {
      const slot = this.#playing ? this.#ring.front : null
      if (slot === null || slot.kind !== 'audio' || !this.#follows(slot)) this.#step()
      else {
        this.#readyLength += (slot.ticks / this.#ticksPerMs) * (this.rateHz / 1000)
        this.#pass(slot)
      }
      if (this.#readyLength > this.#ready.length) this.#readyLength = this.#ready.length
    }
    this.#ready.copyWithin(0, samples, this.#readyLength)
    this.#readyLength -= samples
    if (this.#playing) this.#watch()
  }

  /** Makes some more samples ready. True: they are more than silence. */
  #step(): boolean {
    if (!this.#playing && !this.#begin()) return this.#idle()
    const slot = this.#ring.front
    if (slot === null) return this.#ring.count > 0 ? this.#lost() : this.#starve()
    if (slot.kind === 'event') {
      this.#pass(slot)
      return false
    }
    if (slot.kind === 'noise') {
      this.#noise ??= new ComfortNoise()
      this.#noise.describe(slot.octets.subarray(0, slot.length))
      this.#pass(slot)
      this.#playing = false
      return false
    }
    if (!this.#follows(slot)) {
      this.#playing = false
      this.#due = slot.timestamp
      return this.#idle()
    }
    this.#decode(slot)
    return true
  }

  /** Whether the slot goes on where the last one ended; otherwise the sender has paused, and said so by its timestamps. */
  #follows(slot: Slot): boolean {
    const gap = (slot.timestamp - this.#due) | 0
    return Math.abs(gap) <= slot.ticks
  }

  #begin(): boolean {
    const first = this.#ring.oldest
    if (first === null) return false
    if (first.kind === 'audio' && this.#waitingMs(first) < this.#delay.ms + this.#packetMs / 2) return false
    while (this.#ring.front === null) this.#ring.pass()
    this.#playing = true
    this.#due = first.timestamp
    this.#pulls = 0
    this.#least = Number.POSITIVE_INFINITY
    return true
  }

  /** What waits from `first` on, in milliseconds of audio. */
  #waitingMs(first: Slot): Millis {
    const newest = this.#ring.newest
    return newest === null ? 0 : (((newest.timestamp - first.timestamp) | 0) + newest.ticks) / this.#ticksPerMs
  }

  #decode(slot: Slot): void {
    this.#noise = null
    this.#bridgedMs = 0
    const count = this.#decoder?.decode(slot.octets.subarray(0, slot.length), this.#native) ?? 0
    const ms = slot.ticks / this.#ticksPerMs
    this.#pass(slot)
    if (count > 0) this.#give(count)
    else this.#conceal(ms)
  }

  #pass(slot: Slot): void {
    if (slot.kind === 'audio') this.#due = (slot.timestamp + slot.ticks) | 0
    this.#ring.pass()
  }

  /** The packet at the front did not come, later ones did: reconstruct it from the next, or conceal it. */
  #lost(): boolean {
    const next = this.#ring.second
    const bridged = this.#bridgedMs >= this.#packetMs
    this.#ring.pass()
    this.#due = (this.#due + this.#packetMs * this.#ticksPerMs) | 0
    if (bridged) {
      this.#bridgedMs -= this.#packetMs
      return true
    }
    const decoder = this.#decoder
    const samples = decoder === null ? 0 : (this.#packetMs * decoder.rateHz) / 1000
    const missing = this.#native.subarray(0, samples)
    this.concealedMs += this.#packetMs
    if (next === null || next.kind !== 'audio' || decoder?.recover(next.octets.subarray(0, next.length), missing) !== true)
      decoder?.conceal(missing)
    this.#give(samples)
    return true
  }

  /** It is time, and nothing waits: it is late, or lost, or the stream has ended. */
  #starve(): boolean {
    this.#bridgedMs += STEP_MS
    if (this.#bridgedMs > PAUSED_MS) this.#playing = false
    this.#conceal(STEP_MS)
    return true
  }

  #conceal(ms: Millis): void {
    const decoder = this.#decoder
    if (decoder === null) return
    const samples = (ms * decoder.rateHz) / 1000
    decoder.conceal(this.#native.subarray(0, samples))
    this.concealedMs += ms
    this.#give(samples)
  }

  #idle(): boolean {
    const samples = (STEP_MS * this.rateHz) / 1000
    const room = this.#ready.subarray(this.#readyLength, this.#readyLength + samples)
    if (this.#noise === null) room.fill(0)
    else this.#noise.fill(room)
    this.#readyLength += samples
    return this.#noise !== null
  }

  /** `count` samples at the decoder's rate become ready. */
  #give(count: number): void {
    const native = this.#native.subarray(0, count)
    const room = this.#ready.subarray(this.#readyLength)
    if (this.#halver !== null) this.#readyLength += this.#halver.run(native, room)
    else if (this.#doubler !== null) this.#readyLength += this.#doubler.run(native, room)
    else {
      room.set(native)
      this.#readyLength += count
    }
  }

  /** After a pull: takes back what is held too long, and sheds what nobody could ever catch up with. */
  #watch(): void {
    const first = this.#ring.oldest
    const waiting = first === null ? 0 : this.#waitingMs(first)
    this.#least = Math.min(this.#least, waiting)
    if (waiting > this.#delay.ms + SHED_MS && waiting > MOST_DELAY_MS) this.#shed()
    if (++this.#pulls < WATCHED_PULLS) return
    const spare = this.#least > IDLE_MS && waiting > this.#delay.ms
    this.#pulls = 0
    this.#least = Number.POSITIVE_INFINITY
    if (spare) this.#shorten()
  }

  /** A burst after a long stall: the older part is left out. */
  #shed(): void {
    for (
      let first = this.#ring.oldest;
      first !== null && this.#waitingMs(first) > this.#delay.ms + this.#packetMs;
      first = this.#ring.oldest
    ) {
      while (this.#ring.front === null) this.#ring.pass()
      this.shortenedMs += first.ticks / this.#ticksPerMs
      this.#pass(first)
    }
  }

  #shorten(): void {
    if (this.#readyLength > (MOST_PULL_MS * this.rateHz) / 1000 || !this.#step()) return
    const left = shorten(this.#ready, this.#readyLength, this.rateHz)
    this.shortenedMs += ((this.#readyLength - left) * 1000) / this.rateHz
    this.#readyLength = left
  }

  free(): void {
    this.#decoder?.free()
    this.#decoder = null
    this.#codec = null
    this.#restart(-1)
  }
}

const NOTHING = new Uint8Array(0)
