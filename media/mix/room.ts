import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS, type RateHz } from '#media/codec/codec.ts'
import type { EndpointId, MixTerms } from '#media/engine.ts'
import { Member, type MixParty } from '#media/mix/member.ts'
import { Mix } from '#media/mix/mix.ts'

/** So many are mixed at once, the loudest: more voices together nobody understands. */
const MOST_SPEAKERS = 6

/** Gains are told apart in steps of a 32nd, up to 7.9: six of them in the 48 bits of a mix's name. */
const GAIN_STEPS = 32
const MOST_GAIN = 255

/**
 * Endpoints that hear each other, each by gains of its own. Conference, listening in, whispering and barging in are this one thing under
 * other terms. Only who talks is decoded; what several hear alike is mixed and encoded once.
 *
 *     octets of all --loudness--> the loudest six --decode--> their gains in each listener's ears --> one mix for all with the same gains
 */
export class Room {
  readonly #members = new Map<EndpointId, Member>()
  readonly #speakers: Member[] = []
  /** Mixes of this beat by the gains that they are made of, and rate. */
  readonly #mixes = new Map<number, Mix>()
  readonly #spare: Mix[] = []

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  /** Takes part from now on, or goes on under other terms. */
  enter(party: MixParty, terms: MixTerms): void {
    const member = this.#members.get(party.id)
    if (member === undefined) this.#members.set(party.id, new Member(party, terms))
    else member.terms = terms
  }

  leave(id: EndpointId): void {
    this.#members.delete(id)
  }

  /** One beat of everybody, to be called after the endpoints' own. */
  beat(now: Millis): void {
    this.#choose(now)
    for (const member of this.#members.values()) {
      const { stream } = member.party
      const mix = this.#mixFor(member, stream === null ? 8000 : CODEC_TERMS[stream.codec].rateHz)
      member.party.hearMix(mix, now)
    }
    for (const mix of this.#mixes.values()) this.#spare.push(mix)
    this.#mixes.clear()
  }

  /** The loudest who talk; with few members everybody who does. */
  #choose(now: Millis): void {
    const speakers = this.#speakers
    speakers.length = 0
    for (const member of this.#members.values()) {
      member.listen(now)
      if (member.loudness > 0 && (member.terms.speaks ?? 1) > 0) insert(speakers, member)
    }
    for (const member of this.#members.values()) member.choose(speakers.includes(member))
  }

  #mixFor(listener: Member, rateHz: RateHz): Mix {
    let name = rateHz === 8000 ? 0 : 1
    for (const speaker of this.#speakers) name = name * 256 + stepsOf(speaker.gainFor(listener))
    const made = this.#mixes.get(name)
    if (made !== undefined) return made
    const mix = this.#spare.pop() ?? new Mix()
    this.#mixes.set(name, mix)
    mix.begin(rateHz)
    for (const speaker of this.#speakers) {
      const gain = stepsOf(speaker.gainFor(listener)) / GAIN_STEPS
      const pcm = gain === 0 ? null : speaker.samples(rateHz)
      if (pcm !== null) mix.add(pcm, gain)
    }
    mix.finish()
    return mix
  }
}

function stepsOf(gain: number): number {
  return Math.min(MOST_GAIN, Math.max(0, Math.round(gain * GAIN_STEPS)))
}

/** Keeps the loudest, loudest first. Who was mixed in the last beat goes before a newcomer who is little louder, so that speakers do not flicker. */
function insert(speakers: Member[], member: Member): void {
  const weight = weightOf(member)
  let place = speakers.length
  while (place > 0 && weightOf(speakers[place - 1] as Member) < weight) place--
  if (place >= MOST_SPEAKERS) return
  speakers.splice(place, 0, member)
  if (speakers.length > MOST_SPEAKERS) speakers.pop()
}

function weightOf(member: Member): number {
  return member.isChosen ? member.loudness * 1.5 : member.loudness
}
