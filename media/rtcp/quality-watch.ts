import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import type { StreamParams, StreamQuality } from '#media/engine.ts'
import { classOf, mosOf, type Passage, type QualityClass, ratingOf } from '#media/rtcp/quality.ts'
import type { RtcpSession } from '#media/rtcp/session.ts'
import type { OutgoingStream } from '#media/rtp/outgoing.ts'
import type { Reception } from '#media/rtp/reception.ts'

/** Stretches over which the way is judged. */
export const STRETCH_MS: Millis = 5000
/** A change of class is told no sooner after the last. */
const TELL_MS: Millis = 10_000
/** Fewer packets say nothing of a stretch. */
const LEAST_PACKETS = 50

/** What of the reception a stretch begins with. */
interface Mark {
  expected: number
  lost: number
  gaps: number
}

const NOTHING: Mark = { expected: 0, lost: 0, gaps: 0 }

/** Judges how the audio of one endpoint comes through: in stretches while it goes on, and as a whole. */
export class QualityWatch {
  readonly #reception: Reception
  readonly #rtcp: RtcpSession
  readonly #sender: { readonly outgoing: Pick<OutgoingStream, 'packets'> }
  #mark = NOTHING
  #nextAt: Millis
  #toldAt: Millis = Number.NEGATIVE_INFINITY
  #told: QualityClass = 'good'
  #worst: { loss: number; r: number } | null = null

  /** `sender`: whose stream the peer reports of. */
  constructor(reception: Reception, rtcp: RtcpSession, sender: { readonly outgoing: Pick<OutgoingStream, 'packets'> }, now: Millis) {
    this.#reception = reception
    this.#rtcp = rtcp
    this.#sender = sender
    this.#nextAt = now + STRETCH_MS
  }

  /** When `housekeep` has something to do. */
  get dueAt(): Millis {
    return this.#nextAt
  }

  /** To be called when it is due. What is to be told: the class of the last stretch is another than that told last. */
  housekeep(stream: StreamParams, now: Millis): StreamQuality | null {
    if (now < this.#nextAt) return null
    this.#nextAt = now + STRETCH_MS
    const stretch = this.#stretch()
    const r = this.#judge(stream, stretch)
    if (r === null) return null
    if (this.#worst === null || r < this.#worst.r) this.#worst = { loss: stretch.loss, r }
    const quality = classOf(Math.min(r, this.#sentRating(stream, 'lately') ?? r))
    if (quality === this.#told || now - this.#toldAt < TELL_MS) return null
    this.#told = quality
    this.#toldAt = now
    return { ...this.whole(stream), class: quality }
  }

  /** From the first packet on. */
  whole(stream: StreamParams): StreamQuality {
    const { expected, lost, gaps, packets, jitterMs } = this.#reception
    const loss = expected <= 0 ? 0 : Math.min(1, lost / expected)
    const r = ratingOf(stream.codec, this.#passage(stream, loss, burstOf(lost, gaps, loss)))
    const worst = this.#worst ?? { loss, r }
    const sent = this.#sent(stream, 'ever')
    const sentR = this.#sentRating(stream, 'ever')
    const heard = packets >= LEAST_PACKETS
    return {
      codec: stream.codec,
      encrypted: stream.crypto !== undefined,
      class: classOf(Math.min(heard ? r : BEST, sentR ?? BEST)),
      roundTripMs: this.#rtcp.roundTripMs === null ? null : tenths(this.#rtcp.roundTripMs),
      received: heard
        ? {
            ...{ packets, lost: tenths(loss * 100), jitterMs: tenths(jitterMs), mos: tenths(mosOf(r)) },
            worst: { lost: tenths(worst.loss * 100), mos: tenths(mosOf(worst.r)) },
          }
        : null,
      sent:
        sent === null || sentR === null
          ? null
          : { lost: tenths(sent.loss * 100), jitterMs: tenths(sent.jitterMs), mos: tenths(mosOf(sentR)) },
    }
  }

  /** What came since the last stretch. */
  #stretch(): { packets: number; loss: number; burst: number } {
    const { expected, lost, gaps } = this.#reception
    const before = this.#mark
    this.#mark = { expected, lost, gaps }
    const packets = expected - before.expected
    const missing = Math.max(0, lost - before.lost)
    const loss = packets <= 0 ? 0 : Math.min(1, missing / packets)
    return { packets, loss, burst: burstOf(missing, gaps - before.gaps, loss) }
  }

  #judge(stream: StreamParams, { packets, loss, burst }: { packets: number; loss: number; burst: number }): number | null {
    return packets < LEAST_PACKETS ? null : ratingOf(stream.codec, this.#passage(stream, loss, burst))
  }

  /** What the peer reports of our stream (RTCP). `lately`: it lost between its last two reports. */
  #sent({ codec }: StreamParams, when: 'lately' | 'ever'): { loss: number; jitterMs: Millis } | null {
    const { remote } = this.#rtcp
    const { packets } = this.#sender.outgoing
    if (remote === null || packets < LEAST_PACKETS) return null
    const lost = when === 'lately' ? this.#rtcp.lossPercent / 100 : remote.lost / packets
    return {
      loss: Math.min(1, lost + remote.discarded),
      jitterMs: (remote.jitterTicks * 1000) / CODEC_TERMS[codec].clockHz,
    }
  }

  /** The same as R. */
  #sentRating(stream: StreamParams, when: 'lately' | 'ever'): number | null {
    const sent = this.#sent(stream, when)
    return sent === null ? null : ratingOf(stream.codec, { ...this.#passage(stream, sent.loss, 1), jitterMs: sent.jitterMs })
  }

  #passage({ ptimeMs }: StreamParams, loss: number, burst: number): Passage {
    return { loss, burst, jitterMs: this.#reception.jitterMs, roundTripMs: this.#rtcp.roundTripMs, ptimeMs }
  }
}

const BEST = 100

/** Mean length of a gap over what it would be if packets were lost by chance, 1 / (1 - loss) (G.107 §3.5). */
function burstOf(lost: number, gaps: number, loss: number): number {
  return gaps <= 0 ? 1 : Math.max(1, (lost / gaps) * (1 - loss))
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}
