import type { Part } from '#calls/call.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Leg } from '#calls/leg.ts'
import { Ring } from '#calls/ring.ts'
import type { PlayItem } from '#media/engine.ts'

/** How long the transferor's phone is rung when a transfer failed after it had left. */
const recallMs = 20_000

/** Better than the tone of a country when nobody has said which. */
export const plainRingback: readonly PlayItem[] = [{ kind: 'tone', tone: 'ringback' }]

/**
 * Rings the phone (`endpoint`) of somebody who had left a call that nobody else took; the party hears it ring. `then` gets who answered, or null: it
 * is not a phone, or nobody was there. The result stops it.
 */
export function recall(party: Leg, endpoint: EndpointRef, then: (back: Leg | null) => void): Part | null {
  if (endpoint.kind !== 'device') {
    then(null)
    return null
  }
  const play = party.media.endpoint.play(plainRingback, { loop: true })
  const done = (back: Leg | null): void => {
    party.media.endpoint.stop(play)
    then(back)
  }
  const plan = { steps: [{ targets: [{ kind: 'device' as const, id: endpoint.id, label: endpoint.number }], ms: recallMs }] }
  return new Ring(party.call, plan, party, { onRinging: () => undefined, onAnswered: done, onUnanswered: () => done(null) })
}
