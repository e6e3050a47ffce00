import type { Outcome } from '#contract/outcome.ts'
import { Bridge } from '#calls/bridge.ts'
import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { Referral } from '#calls/referral.ts'
import { BlindTransfer } from '#calls/transfer.ts'
import type { PlayItem } from '#media/engine.ts'

/** What two parties who talk need from the company: what a held one hears. */
export interface ConversationRules {
  music(call: Call): readonly PlayItem[]
  /** Called when two legs begin to talk: recording policies apply from here. */
  began(call: Call, legs: readonly [Leg, Leg]): void
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
      bridge.close()
      transfer(call, { party: other, transferor: from }, referral, rules)
    },
  })
  rules.began(call, legs)
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

function returnedToNobody(call: Call, party: Leg, outcome: Outcome): void {
  party.hangUp(outcome)
  call.end(outcome)
}
