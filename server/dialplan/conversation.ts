import type { Outcome } from '#contract/outcome.ts'
import { Bridge } from '#calls/bridge.ts'
import type { Call } from '#calls/call.ts'
import { Consultation } from '#calls/consultation.ts'
import { joinTalks, talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { refusalOf } from '#calls/outcome.ts'
import { type Referral, silentReferral } from '#calls/referral.ts'
import { BlindTransfer } from '#calls/transfer.ts'
import type { PlayItem } from '#media/engine.ts'
import type { Place } from '#server/features/parking.ts'
import type { Replaces } from '#sip/dialog/replaces.ts'
import { reasonPhrase } from '#sip/message/reasons.ts'

/** What two parties who talk need from the company: what a held one hears. */
export interface ConversationRules {
  music(call: Call): readonly PlayItem[]
  readonly ringback: readonly PlayItem[]
  /** Called when two legs begin to talk: recording policies apply from here. */
  began(call: Call, legs: readonly [Leg, Leg]): void
  /** The leg of this company whose dialog a phone of it names in a REFER. */
  referred(tenant: string, replaces: Replaces): Leg | null
  /** Where a call waits that is sent to this number; null: somebody is to be called. */
  placeFor(call: Call, number: string): Place | { refused: Outcome } | null
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
      if (referral.replaces !== null) attended(call, from, { referral, replaces: referral.replaces }, rules)
      else {
        const place = rules.placeFor(call, referral.to)
        if (place !== null && 'refused' in place) {
          call.tell({ kind: 'transfer.requested', leg: from.id, to: referral.to })
          refuse(call, from, referral, place.refused)
          return
        }
        bridge.close()
        if (place === null) transfer(call, { party: other, transferor: from }, referral, rules)
        else place.park(other, from, referral)
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
  })
}

/**
 * The transferor has talked to somebody in another call of its own and wants the two connected (RFC 5589 §7). Whatever is wrong leaves both
 * calls as they are.
 */
function attended(call: Call, from: Leg, asked: { referral: Referral; replaces: Replaces }, rules: ConversationRules): void {
  const { referral, replaces } = asked
  const consulted = rules.referred(call.identity.tenant, replaces)
  if (consulted !== null && consulted !== from && isStillCalling(consulted)) {
    sendToCalled(from, consulted, referral)
    return
  }
  const [one, other] = [talkOf(from), consulted === null || consulted === from ? null : talkOf(consulted)]
  call.tell({ kind: 'transfer.requested', leg: from.id, to: other?.other.endpoint.number ?? referral.to, attended: true })
  if (one === null || other === null || one.bridge === other.bridge) {
    const found = consulted !== null && consulted !== from
    const outcome: Outcome = found
      ? { kind: 'rejected', by: 'us', sip: 603, detail: 'there is nobody to be connected with in that call' }
      : { kind: 'failed', by: 'caller', sip: 481, detail: 'the call that was named for the transfer does not exist' }
    refuse(call, from, referral, outcome)
    return
  }
  referral.notify(100, 'Trying')
  referral.notify(200, 'OK')
  const joined = joinTalks(one, other)
  converse(joined.call, joined.legs, rules)
}

/** What was asked cannot be done, and everything stays as it is. */
function refuse(call: Call, from: Leg, referral: Referral, outcome: Outcome): void {
  const status = outcome.sip ?? refusalOf(outcome).status
  referral.notify(status, reasonPhrase(status))
  call.tell({ kind: 'transfer.failed', leg: from.id, to: referral.to, outcome })
}

/** The transferor does not wait for the answer: what it calls is called by us instead, for the party. */
function sendToCalled(from: Leg, consulted: Leg, referral: Referral): void {
  const outcome: Outcome = { kind: 'transferred', by: 'caller', detail: `transferred to ${referral.to} before the answer` }
  const { call } = consulted
  consulted.hangUp(outcome)
  call.end(outcome)
  from.onReferral.emit({ ...referral, replaces: null })
}

function isStillCalling(leg: Leg): boolean {
  return leg.role === 'caller' && (leg.state === 'incoming' || leg.state === 'ringing')
}

function returnedToNobody(call: Call, party: Leg, outcome: Outcome): void {
  party.hangUp(outcome)
  call.end(outcome)
}
