import type { Outcome } from '#contract/outcome.ts'
import { Bridge } from '#calls/bridge.ts'
import type { Call } from '#calls/call.ts'
import { Consultation } from '#calls/consultation.ts'
import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { type Referral, silentReferral } from '#calls/referral.ts'
import { BlindTransfer, type Onward } from '#calls/transfer.ts'
import type { PlayItem } from '#media/engine.ts'
import { attended, refuse } from '#server/dialplan/attended.ts'
import type { Place } from '#server/features/parking.ts'
import type { Replaces } from '#sip/dialog/replaces.ts'

/** What two parties who talk need from the company: what a held one hears. */
export interface ConversationRules {
  music(call: Call): readonly PlayItem[]
  readonly ringback: readonly PlayItem[]
  /** Called when two legs begin to talk: recording policies apply from here. */
  began(call: Call, legs: readonly [Leg, Leg]): void
  /** The leg of this company whose dialog a phone of it names in a REFER. */
  referred(tenant: string, replaces: Replaces): Leg | null
  /** What takes a call that is sent to this number: a slot, a flow, a conference; null: somebody is to be called. */
  placeFor(call: Call, number: string): Place | { refused: Outcome } | null
  /** Where a call goes on that was sent to this number by `by`, each time that nobody has taken it. */
  onward(call: Call, number: string, by: Leg): (outcome: Outcome) => Onward | null
}

/** The part of a call's story that says who is talking with whom, from which a restarted server goes on. */
export interface TalkingStory {
  kind: 'talking'
  legs: [string, string]
}

/**
 * Two legs talk until one leaves; then the call is over. In between a party may be held or transferred, and whoever is transferred
 * talks on here with somebody else.
 */
export function converse(call: Call, legs: readonly [Leg, Leg], rules: ConversationRules): void {
  const gone = legs.find((leg) => leg.state === 'ended')
  if (gone !== undefined) {
    const outcome = gone.outcome ?? { kind: 'cancelled', by: 'nobody' }
    for (const leg of legs) leg.hangUp(outcome)
    call.end(outcome)
    return
  }
  call.story = { kind: 'talking', legs: [legs[0].id, legs[1].id] } satisfies TalkingStory
  const bridge = new Bridge(call, legs, rules.music(call), {
    onParted: (_left, remaining, outcome) => {
      remaining.hangUp(outcome)
      call.end(outcome)
    },
    onReferral: (from, other, referral) => {
      if (referral.replaces !== null)
        attended(from, referral, rules.referred(call.identity.tenant, referral.replaces), (joined) =>
          converse(joined.call, joined.legs, rules),
        )
      else {
        const place = rules.placeFor(call, referral.to)
        if (place !== null && 'refused' in place) {
          call.tell({ kind: 'transfer.requested', leg: from.id, to: referral.to })
          refuse(from, referral, place.refused)
          return
        }
        bridge.close()
        if (place === null) transfer(call, { party: other, transferor: from }, referral, rules)
        else place.take(other, from, referral)
      }
    },
    onReplaced: (other, by) => converse(call, [other, by], rules),
  })
  rules.began(call, legs)
}

/** Somebody who talks asks another first; false when this leg does not talk with anybody. */
export function consult(leg: Leg, to: string, rules: ConversationRules): boolean {
  const talk = talkOf(leg)
  if (talk === null) return false
  const { call } = leg
  talk.bridge.close()
  new Consultation(
    call,
    { party: talk.other, transferor: leg, to, music: rules.music(call), ringback: rules.ringback },
    {
      onConnected: (one, other) => converse(call, [one, other], rules),
      onAbandoned: (party, outcome) => returnedToNobody(call, party, outcome),
    },
  )
  return true
}

/** Sends whom this leg talks with to somebody else, as if its phone had asked; false when it does not talk with anybody. */
export function sendOn(leg: Leg, to: string): boolean {
  if (talkOf(leg) === null) return false
  leg.onReferral.emit(silentReferral(to))
  return true
}

/** The consultation that goes on in a call. */
export function consultationOf(call: Call): Consultation | null {
  for (const part of call.parts) if (part instanceof Consultation) return part
  return null
}

function transfer(call: Call, parties: { party: Leg; transferor: Leg }, referral: Referral, rules: ConversationRules): void {
  new BlindTransfer(call, parties, referral, {
    onConnected: (party, target) => converse(call, [party, target], rules),
    onReturned: (party, transferor, outcome) => {
      if (transferor !== null) converse(call, [party, transferor], rules)
      else returnedToNobody(call, party, outcome)
    },
    onward: rules.onward(call, referral.to, parties.transferor),
  })
}

function returnedToNobody(call: Call, party: Leg, outcome: Outcome): void {
  party.hangUp(outcome)
  call.end(outcome)
}
