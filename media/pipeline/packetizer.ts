import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS, type Encoder, type RateHz } from '#media/codec/codec.ts'
import { openEncoder } from '#media/codec/streams.ts'
import { Doubler, Halver } from '#media/dsp/half-band.ts'
import type { Codec, StreamParams } from '#media/engine.ts'
import type { Sender } from '#media/pipeline/sender.ts'
import { RTP_HEADER_BYTES } from '#media/rtp/header.ts'
import { nextScratch } from '#media/rtp/scratch.ts'

/** Room for a packet that is not full yet and a push: 60 and 40 ms at 16 kHz. */
const ROOM = 1600
const NONE = new Int16Array(0)

/** After a pause longer than this beyond the packet time the stream has gone on without us. */
const PAUSE_MS: Millis = 60

/** Samples in, packets of the agreed codec and packet time out. */
export class Packetizer {
  readonly #sender: Sender
  #encoder: Encoder | null = null
  #codec: Codec | null = null
  /** Of what is pushed. */
  #sourceHz: RateHz = 8000
  #halver: Halver | null = null
  #doubler: Doubler | null = null
  /** Made with the first encoder: what is passed on as it came needs none. */
  #pcm = NONE
  #length = 0
  #lastAt: Millis = Number.NEGATIVE_INFINITY

  constructor(sender: Sender) {
    this.#sender = sender
  }

  /** The next samples, at most 40 ms; each packet that they fill is sent. */
  push(pcm: Int16Array, rateHz: RateHz, now: Millis): void {
    const { stream } = this.#sender
    if (stream === null || !this.#sender.canSend) return
    if (now - this.#lastAt > stream.ptimeMs + PAUSE_MS) {
      this.#length = 0
      this.#sender.outgoing.pause()
    }
    this.#lastAt = now
    if (this.#codec !== stream.codec || this.#sourceHz !== rateHz) this.#open(stream, rateHz)
    const encoder = this.#encoder
    if (encoder === null) return
    this.#take(pcm)
    const samples = (stream.ptimeMs * encoder.rateHz) / 1000
    while (this.#length >= samples) {
      const packet = nextScratch()
      encoder.expectLoss(this.#sender.reportedLossPercent)
      const bytes = encoder.encode(this.#pcm.subarray(0, samples), packet, RTP_HEADER_BYTES)
      this.#pcm.copyWithin(0, samples, this.#length)
      this.#length -= samples
      if (bytes > 0) this.#sender.sendAudio(packet, stream, { bytes, ms: stream.ptimeMs }, now)
      else this.#sender.passTime(stream.ptimeMs, now)
    }
  }

  #take(pcm: Int16Array): void {
    const room = this.#pcm.subarray(this.#length)
    if (this.#halver !== null) this.#length += this.#halver.run(pcm, room)
    else if (this.#doubler !== null) this.#length += this.#doubler.run(pcm, room)
    else {
      room.set(pcm)
      this.#length += pcm.length
    }
  }

  /** An encoder is kept over a change of its source's rate: what it has learnt of the voice is worth more than the exact rate. */
  #open({ codec, opus }: StreamParams, rateHz: RateHz): void {
    if (codec !== this.#codec || this.#encoder === null) {
      this.#encoder?.free()
      this.#encoder = openEncoder(codec, CODEC_TERMS[codec].rateHz, opus)
      this.#codec = codec
      this.#length = 0
    }
    if (this.#pcm === NONE) this.#pcm = new Int16Array(ROOM)
    this.#sourceHz = rateHz
    this.#encoder.expectSource(rateHz)
    this.#halver = rateHz > this.#encoder.rateHz ? new Halver() : null
    this.#doubler = rateHz < this.#encoder.rateHz ? new Doubler() : null
  }

  free(): void {
    this.#encoder?.free()
    this.#encoder = null
    this.#codec = null
    this.#length = 0
  }
}
