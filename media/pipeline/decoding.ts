import { CODEC_TERMS, type RateHz } from '#media/codec/codec.ts'
import type { Codec, PlayoutFigures } from '#media/engine.ts'
import { Playout } from '#media/jitter/playout.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'
import type { RtpHeader } from '#media/rtp/header.ts'

/** One beat at the higher rate. Filled and used up within one call. */
const pcm = new Int16Array((BEAT_MS * 16_000) / 1000)

const NO_FIGURES: PlayoutFigures = { late: 0, duplicates: 0, concealedMs: 0, shortenedMs: 0, delayMs: 0 }

/** What one endpoint hears as samples, for as long as somebody needs samples of it: the other party's encoder, or a room. */
export class Decoding {
  #playout: Playout | null = null
  /** Of playouts before this one. */
  #before = NO_FIGURES

  /** Packets are being decoded. */
  get isOn(): boolean {
    return this.#playout !== null
  }

  /** There is something to pull. */
  get isFlowing(): boolean {
    return this.#playout !== null && !this.#playout.isIdle
  }

  get playout(): Playout | null {
    return this.#playout
  }

  /** Begins, for a listener of that rate. */
  start(rateHz: RateHz): Playout {
    if (this.#playout !== null && this.#playout.rateHz === rateHz) return this.#playout
    this.stop()
    this.#playout = new Playout(rateHz)
    return this.#playout
  }

  stop(): void {
    if (this.#playout === null) return
    this.#before = { ...this.#figures, delayMs: 0 }
    this.#playout.free()
    this.#playout = null
  }

  audio(packet: Buffer, header: RtpHeader, codec: Codec): void {
    this.#playout?.audio(header, codec, packet.subarray(header.payloadStart, header.payloadEnd))
  }

  noise(packet: Buffer, header: RtpHeader, codec: Codec): void {
    this.#playout?.noise(header, codec, packet.subarray(header.payloadStart, header.payloadEnd))
  }

  /** A beat's worth of samples for `take`; nothing when nothing flows. */
  pull(take: (pcm: Int16Array, rateHz: RateHz) => void): void {
    const playout = this.#playout
    if (playout === null) return
    const beat = pcm.subarray(0, (BEAT_MS * playout.rateHz) / 1000)
    playout.pull(beat)
    take(beat, playout.rateHz)
  }

  /** Since the endpoint was opened; null: nothing was ever decoded. */
  get total(): PlayoutFigures | null {
    return this.#playout === null && this.#before === NO_FIGURES ? null : this.#figures
  }

  get #figures(): PlayoutFigures {
    const now = this.#playout?.figures ?? NO_FIGURES
    const before = this.#before
    return {
      late: before.late + now.late,
      duplicates: before.duplicates + now.duplicates,
      concealedMs: before.concealedMs + now.concealedMs,
      shortenedMs: before.shortenedMs + now.shortenedMs,
      delayMs: now.delayMs,
    }
  }
}

/** The rate at which two codecs meet: the lower of what they are worth. */
export function commonRate(one: Codec, other: Codec): RateHz {
  return CODEC_TERMS[one].rateHz < CODEC_TERMS[other].rateHz ? CODEC_TERMS[one].rateHz : CODEC_TERMS[other].rateHz
}
