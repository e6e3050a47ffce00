import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import type { Conference } from '#calls/conference.ts'
import type { Leg } from '#calls/leg.ts'
import { recall } from '#calls/recall.ts'
import { type Onward, transferred } from '#calls/transfer.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { type Door, doorAt, onwardFrom } from '#server/dialplan/doors.ts'
import type { Place } from '#server/features/parking.ts'

/** What sending calls to flows and conferences needs of the dial plan. */
export interface Sending {
  readonly config: CompiledConfig
  /** A conference that is held. */
  readonly roomOf: (tenant: string, id: string) => Pick<Conference, 'against'> | null
  /** The party, who talked with somebody until now, goes there. */
  readonly enter: (party: Leg, door: Door, sent: { dialled: string; sentBy: EndpointRef }) => void
}

/** The flow or conference behind a number, for whom somebody sends there; null: neither. Refused where nobody is let in. */
export function placeBehind(sending: Sending, call: Call, number: string): Place | { refused: Outcome } | null {
  const door = doorAt(sending.config, number)
  if (door === null) return null
  const refused = 'conference' in door ? against(sending, call, door.conference) : null
  if (refused !== null) return { refused }
  return {
    slot: null,
    take: (party, by, referral) => {
      call.tell({ kind: 'transfer.requested', leg: by.id, to: referral.to })
      referral.notify(100, 'Trying')
      transferred(call, by, referral)
      sending.enter(party, door, { dialled: number, sentBy: by.endpoint })
    },
  }
}

/** Where a call goes on that `by` has sent to a number, each time that nobody has taken it. */
export function onwardFor(sending: Sending, number: string, by: EndpointRef): (outcome: Outcome) => Onward | null {
  const next = onwardFrom(sending.config, number)
  return (outcome) => {
    const onward = next(outcome)
    if (onward === null || 'plan' in onward) return onward
    return { take: (party) => sending.enter(party, onward.door, { dialled: number, sentBy: by }) }
  }
}

/** Somebody was sent somewhere and not let in: the phone that has sent them rings. `connect`: the two talk again. */
export function giveBack(
  party: Leg,
  sent: { by: EndpointRef; to: string; outcome: Outcome },
  connect: (legs: readonly [Leg, Leg]) => void,
): void {
  const { call } = party
  const { by, to, outcome } = sent
  call.tell({ kind: 'transfer.failed', leg: party.id, to, outcome })
  const gone = party.onEnded.on((end) => call.end(end))
  recall(party, by, (back) => {
    gone[Symbol.dispose]()
    if (back !== null) {
      connect([party, back])
      return
    }
    party.hangUp(outcome)
    call.end(outcome)
  })
}

/** Why nobody is let into a conference that asks for no PIN; one that does tells those who come. */
function against({ config, roomOf }: Sending, call: Call, id: string): Outcome | null {
  const conference = config.conferences.get(id)
  if (conference === undefined || conference.pin !== null || conference.moderatorPin !== null) return null
  const why = roomOf(call.identity.tenant, id)?.against(false) ?? null
  return why === null ? null : { kind: 'busy', by: 'us', sip: 486, detail: `the conference is ${why}` }
}
