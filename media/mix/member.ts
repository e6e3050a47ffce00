import type { Millis } from '#base/clock.ts'
import type { RateHz } from '#media/codec/codec.ts'
import { decodeSample, isG711 } from '#media/codec/g711.ts'
import { Doubler, Halver } from '#media/dsp/half-band.ts'
import type { EndpointId, MixTerms, StreamParams } from '#media/engine.ts'
import type { Playout } from '#media/jitter/playout.ts'
import type { Mix } from '#media/mix/mix.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'

/** An endpoint as a room sees it. */
export interface MixParty {
  readonly id: EndpointId
  /** null: the room's own endpoint, which nobody talks with. */
  readonly stream: StreamParams | null
  /** What it says; null while there is nothing. */
  readonly playout: Playout | null
  /** One beat of what the room's own endpoint plays, at 8 kHz; null: nothing. Taken once. */
  takeSaid(): Int16Array | null
  /** What it hears now. */
  hearMix(mix: Mix, now: Millis): void
}

/** Quieter than this on average (-50 dBov) is not talking. */
const TALKING = 100

/** Between two words somebody is still talking. */
const HOLD_MS: Millis = 400

/** Magnitudes of G.711 octets, to know how loud a payload is without decoding it. */
const MAGNITUDE = {
  PCMA: Uint16Array.from({ length: 256 }, (_, octet) => Math.abs(decodeSample('PCMA', octet))),
  PCMU: Uint16Array.from({ length: 256 }, (_, octet) => Math.abs(decodeSample('PCMU', octet))),
} as const

const SAMPLES = { 8000: (BEAT_MS * 8000) / 1000, 16_000: (BEAT_MS * 16_000) / 1000 } as const

/** One member of a room: how loud it is, and its samples at both rates when it is mixed. */
export class Member {
  readonly party: MixParty
  terms: MixTerms
  /** Mean magnitude, falling slowly while it pauses. 0: it is not talking. */
  loudness = 0
  /** Is mixed in this beat. */
  isChosen = false
  #talkedAt: Millis = Number.NEGATIVE_INFINITY
  readonly #narrow = new Int16Array(SAMPLES[8000])
  readonly #wide = new Int16Array(SAMPLES[16_000])
  /** Which of the two was made in this beat; 0: none. */
  #nativeHz: RateHz | 0 = 0
  #otherMade = false
  readonly #halver = new Halver()
  readonly #doubler = new Doubler()

  constructor(party: MixParty, terms: MixTerms) {
    this.party = party
    this.terms = terms
  }

  /** How loud the coming beat is. Who is judged by octets is not decoded yet; others are. */
  listen(now: Millis): void {
    this.#nativeHz = 0
    this.#otherMade = false
    const loudness = this.#judge()
    if (loudness >= TALKING) {
      this.#talkedAt = now
      this.loudness = Math.max(loudness, this.loudness * 0.9)
    } else if (now - this.#talkedAt > HOLD_MS) this.loudness = 0
    else this.loudness *= 0.97
  }

  #judge(): number {
    const said = this.party.takeSaid()
    if (said !== null) {
      this.#narrow.set(said)
      this.#nativeHz = 8000
      return meanOf(said)
    }
    const { playout, stream } = this.party
    if (playout === null || playout.isIdle) return 0
    const ahead = playout.ahead
    if (stream !== null && isG711(stream.codec) && ahead !== null && ahead.kind === 'audio') {
      const table = MAGNITUDE[stream.codec]
      let sum = 0
      for (let i = 0; i < ahead.length; i += 2) sum += table[ahead.octets[i] as number] as number
      return (sum * 2) / ahead.length
    }
    this.#decode(playout)
    return meanOf(this.#nativeHz === 8000 ? this.#narrow : this.#wide)
  }

  #decode(playout: Playout): void {
    this.#nativeHz = playout.rateHz
    playout.pull(playout.rateHz === 8000 ? this.#narrow : this.#wide)
  }

  /** It is mixed: have its samples. Else its time passes unheard. */
  choose(isChosen: boolean): void {
    this.isChosen = isChosen
    const { playout } = this.party
    if (this.#nativeHz !== 0 || playout === null || playout.isIdle) return
    if (isChosen) this.#decode(playout)
    else playout.skip((BEAT_MS * playout.rateHz) / 1000)
  }

  /** This beat's samples; null: it says nothing. */
  samples(rateHz: RateHz): Int16Array | null {
    if (this.#nativeHz === 0) return null
    if (this.#nativeHz !== rateHz && !this.#otherMade) {
      this.#otherMade = true
      if (rateHz === 8000) this.#halver.run(this.#wide, this.#narrow)
      else this.#doubler.run(this.#narrow, this.#wide)
    }
    return rateHz === 8000 ? this.#narrow : this.#wide
  }

  /** Its gain in the ears of another; 0 in its own. */
  gainFor(listener: Member): number {
    if (listener === this) return 0
    const { heardBy, speaks = 1 } = this.terms
    if (heardBy !== undefined && !heardBy.includes(listener.party.id)) return 0
    const { gains, hears = 1 } = listener.terms
    return speaks * (gains?.[this.party.id] ?? hears)
  }
}

function meanOf(pcm: Int16Array): number {
  let sum = 0
  for (let i = 0; i < pcm.length; i += 2) sum += Math.abs(pcm[i] as number)
  return (sum * 2) / pcm.length
}
