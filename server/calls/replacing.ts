import { type Arriving, openLeg } from '#calls/inbound-leg.ts'
import type { Leg } from '#calls/leg.ts'
import type { IncomingInvite } from '#sip/agent.ts'
import { parseReplaces, type Replaces } from '#sip/dialog/replaces.ts'

/** The phone that takes a place. */
export type Taker = Omit<Arriving, 'role'>

/** Whom an INVITE with Replaces is from, and where the dialogs of its company are found. */
export interface ReplacingNeeds extends Taker {
  readonly find: (replaces: Replaces) => Leg | null
}

/** What an INVITE wants to take the place of (RFC 3891 §3); null: nothing, `bad`: it says so in a way that cannot be understood. */
export function replacesOf(incoming: IncomingInvite): Replaces | null | 'bad' {
  const values = incoming.request.headers.lines('Replaces')
  const [only] = values
  if (only === undefined) return null
  return (values.length === 1 ? parseReplaces(only) : null) ?? 'bad'
}

/**
 * An INVITE that takes the place of one of the legs of its company (RFC 3891 §3): in a conversation, or where it rings (a pick-up). What it names is
 * unknown to everybody else, so that a dialog of another company gets the same answer as none.
 */
export function replaceLeg(incoming: IncomingInvite, replaces: Replaces, { find, ...taker }: ReplacingNeeds): void {
  const leg = find(replaces)
  if (leg === null || !mayBeReplaced(leg)) {
    incoming.reject(481)
    return
  }
  if (leg.state === 'talking' && replaces.earlyOnly) {
    incoming.reject(486)
    return
  }
  takePlace(incoming, leg, taker)
}

/** Answers an INVITE in the place of a leg that talks or rings, which is let go. `onTaken`: just before, when nothing stands against it. */
export function takePlace(incoming: IncomingInvite, leg: Leg, taker: Taker, onTaken?: (by: Leg) => void): void {
  const { call, role } = leg
  const opened = openLeg(call, incoming, { ...taker, role })
  if (!('leg' in opened)) return
  const by = opened.leg
  opened.answer(() => {
    if (leg.state !== 'ended') onTaken?.(by)
    for (const part of call.parts) if (part.replace?.(leg, by) === true) return
    by.hangUp({ kind: 'failed', by: 'us', detail: 'whom it was to replace is gone' })
  })
}

/** What rings at a phone of ours may be picked up; what we are called by and have not answered is nobody's to take (RFC 3891 §3). */
function mayBeReplaced(leg: Leg): boolean {
  return leg.state === 'talking' || isRinging(leg)
}

/** Somebody is called there, and has not answered. */
export function isRinging(leg: Leg): boolean {
  return (leg.state === 'calling' || leg.state === 'ringing') && leg.role === 'callee'
}
