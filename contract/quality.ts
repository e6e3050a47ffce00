import Type, { type Static } from 'typebox'

/** How a line sounds, as people would say it (ITU-T G.107 Annex B): `good` R from 80, `fair` from 70, `poor` from 60, `bad` below. */
export const QualityClass = Type.Union([Type.Literal('good'), Type.Literal('fair'), Type.Literal('poor'), Type.Literal('bad')])
export type QualityClass = Static<typeof QualityClass>

/** One direction of a leg's audio, from its first packet on. */
const way = {
  /** Share of packets that did not arrive, percent. */
  lost: Type.Number(),
  /** Variation of the time on the way (RFC 3550 §A.8). */
  jitterMs: Type.Number(),
  /** Estimated listening quality, 1 to 4.5 (ITU-T G.107, MOS-LQ). */
  mos: Type.Number(),
}

/** How the audio of one leg came through. */
export const LegQuality = Type.Object({
  codec: Type.String(),
  /** Whether it was encrypted on the way (SRTP). */
  encrypted: Type.Boolean(),
  /** Of the worse direction. */
  class: QualityClass,
  roundTripMs: Type.Union([Type.Number(), Type.Null()]),
  /** What the peer sent, as it came to us; null while nothing came. `worst`: the worst stretch of 5 s. */
  received: Type.Union([
    Type.Object({ packets: Type.Integer(), ...way, worst: Type.Object({ lost: Type.Number(), mos: Type.Number() }) }),
    Type.Null(),
  ]),
  /** What we sent, as the peer reports it (RTCP); null while it does not. */
  sent: Type.Union([Type.Object(way), Type.Null()]),
})
export type LegQuality = Static<typeof LegQuality>

/** What most troubles a line, and on which way; null: nothing to speak of. */
export type QualityTrouble =
  | { kind: 'lost'; way: 'in' | 'out'; percent: number }
  | { kind: 'uneven'; way: 'in' | 'out'; ms: number }
  | { kind: 'late'; ms: number }

/** Loss and jitter that somebody may hear; a round trip in which people begin to speak into each other's words (ITU-T G.114). */
const HEARD_LOSS = 1
const HEARD_JITTER_MS = 30
const HEARD_ROUND_TRIP_MS = 300

export function troubleOf({ received, sent, roundTripMs }: LegQuality): QualityTrouble | null {
  const inbound = received !== null && (sent === null || received.mos <= sent.mos)
  const worse = inbound ? received : sent
  const at = inbound ? 'in' : 'out'
  if (worse !== null && worse.lost >= HEARD_LOSS) return { kind: 'lost', way: at, percent: Math.round(worse.lost) }
  if (worse !== null && worse.jitterMs >= HEARD_JITTER_MS) return { kind: 'uneven', way: at, ms: Math.round(worse.jitterMs) }
  if (roundTripMs !== null && roundTripMs >= HEARD_ROUND_TRIP_MS) return { kind: 'late', ms: Math.round(roundTripMs) }
  return null
}
