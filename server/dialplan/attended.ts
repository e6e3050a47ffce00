import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import { ConferenceMember } from '#calls/conference-member.ts'
import { type Joined, joinTalks, talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { refusalOf } from '#calls/outcome.ts'
import type { Referral } from '#calls/referral.ts'
import { FlowRunner } from '#server/flows/flow-runner.ts'
import { reasonPhrase } from '#sip/message/reasons.ts'

/**
 * The transferor (`from`) has another call of its own, in which it is `consulted`, and wants its party and whoever it found there connected
 * (RFC 5589 §7): somebody who talks, somebody who still rings, a conference, a flow. Whatever is wrong leaves both calls as they are. `connect`: two
 * are to talk, in what is one call now.
 */
export function attended(from: Leg, referral: Referral, consulted: Leg | null, connect: (joined: Joined) => void): void {
  if (consulted === null || consulted === from) {
    tellRequested(from, referral.to)
    refuse(from, referral, { kind: 'failed', by: 'caller', sip: 481, detail: 'the call that was named for the transfer does not exist' })
    return
  }
  const runs = partOf(consulted, FlowRunner)
  if (isStillCalling(consulted) || runs !== null) {
    sendToCalled(from, consulted, { ...referral, ...(runs !== null && runs.dialled !== '' && { to: runs.dialled }) })
    return
  }
  const [one, member, other] = [talkOf(from), partOf(consulted, ConferenceMember), talkOf(consulted)]
  tellRequested(from, other?.other.endpoint.number ?? referral.to)
  if (one !== null && member !== null && member.leg.call !== from.call) {
    one.bridge.close()
    intoRoom(one.other, { from, referral, member })
  } else if (one !== null && other !== null && one.bridge !== other.bridge) {
    succeeded(referral)
    connect(joinTalks(one, other))
  } else refuse(from, referral, { kind: 'rejected', by: 'us', sip: 603, detail: 'there is nobody to be connected with in that call' })
}

/** What was asked cannot be done, and everything stays as it is. */
export function refuse(from: Leg, referral: Referral, outcome: Outcome): void {
  const status = outcome.sip ?? refusalOf(outcome).status
  referral.notify(status, reasonPhrase(status))
  from.call.tell({ kind: 'transfer.failed', leg: from.id, to: referral.to, outcome })
}

/** The party comes into the conference in the transferor's place, as nobody's moderator, and keeps its own call. */
function intoRoom(party: Leg, by: { from: Leg; referral: Referral; member: ConferenceMember }): void {
  const { from, referral, member } = by
  const { call } = party
  const left: Call = member.leg.call
  member.conference.enter(party, { isModerator: false })
  succeeded(referral)
  call.tell({ kind: 'transfer.completed', leg: from.id, to: referral.to, attended: true })
  from.hangUp({ kind: 'transferred', by: from.role, detail: `transferred to ${referral.to}` })
  left.tell({ kind: 'call.joined', into: call.id })
  member.letGo({ kind: 'transferred', by: 'caller', detail: `${party.endpoint.number} came in its place` })
}

/** The transferor does not wait for the answer, or has heard a menu: what it calls is called by us instead, for the party. */
function sendToCalled(from: Leg, consulted: Leg, referral: Referral): void {
  const outcome: Outcome = { kind: 'transferred', by: 'caller', detail: `transferred to ${referral.to} before the answer` }
  const { call } = consulted
  consulted.hangUp(outcome)
  call.end(outcome)
  from.onReferral.emit({ ...referral, replaces: null })
}

function tellRequested(from: Leg, to: string): void {
  from.call.tell({ kind: 'transfer.requested', leg: from.id, to, attended: true })
}

function succeeded(referral: Referral): void {
  referral.notify(100, 'Trying')
  referral.notify(200, 'OK')
}

/** What of this kind the leg is in. */
function partOf<P extends { readonly leg: Leg }>(leg: Leg, kind: abstract new (...given: never[]) => P): P | null {
  for (const part of leg.call.parts) if (part instanceof kind && part.leg === leg) return part
  return null
}

function isStillCalling(leg: Leg): boolean {
  return leg.role === 'caller' && (leg.state === 'incoming' || leg.state === 'ringing')
}
