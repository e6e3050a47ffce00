import type { Call } from '#calls/call.ts'
import { type ThreeLegs, ThreeWay } from '#calls/three-way.ts'
import { type ConversationRules, converse } from '#server/dialplan/conversation.ts'

/** The part of a call's story that says that three talk, the second having brought the others together. */
export interface ThreeWayStory {
  readonly kind: 'three-way'
  readonly legs: readonly [string, string, string]
  readonly endsWithHost: boolean
}

/** Three of a call talk until one leaves; then the other two do, or, where it is so agreed and the host has left, nobody. */
export function meet(call: Call, legs: ThreeLegs, terms: { endsWithHost: boolean }, rules: ConversationRules): void {
  const [party, host, target] = legs
  call.story = { kind: 'three-way', legs: [party.id, host.id, target.id], ...terms } satisfies ThreeWayStory
  new ThreeWay(call, legs, terms, {
    onTwo: (one, other) => converse(call, [one, other], rules),
    onOver: (outcome) => {
      for (const leg of legs) leg.hangUp(outcome)
      call.end(outcome)
    },
    onReplaced: (now) => meet(call, now, terms, rules),
  })
}
