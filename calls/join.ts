import { Bridge } from '#calls/bridge.ts'
import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'

/** Somebody's conversation: the bridge that it is held over, and with whom. */
export interface Talk {
  readonly bridge: Bridge
  readonly leg: Leg
  readonly other: Leg
}

/** Whom a leg is talking with; null while it is not in a conversation. */
export function talkOf(leg: Leg): Talk | null {
  for (const part of leg.call.parts) {
    if (!(part instanceof Bridge) || !part.legs.includes(leg)) continue
    const [a, b] = part.legs
    return { bridge: part, leg, other: leg === a ? b : a }
  }
  return null
}

/** Two parties that have just become one call. */
export interface Joined {
  readonly call: Call
  readonly legs: readonly [Leg, Leg]
}

/**
 * Joins the other parties of two conversations that one person has (RFC 5589 §7): what remains is one call between the two of them. It is the call
 * that came from outside, or the older; the other ends as transferred into it, and the person in the middle is let go from both. The caller of
 * this connects the two.
 */
export function joinTalks(one: Talk, other: Talk): Joined {
  const [staying, leaving] = stays(one.leg.call, other.leg.call) ? [one, other] : [other, one]
  const { call } = staying.leg
  const ended = leaving.leg.call
  const [party, target] = [staying.other, leaving.other]
  const outcome = { kind: 'transferred', by: staying.leg.role, detail: `connected with ${target.endpoint.number}` } as const
  const back = { kind: 'transferred', by: leaving.leg.role, detail: `connected with ${party.endpoint.number}` } as const
  staying.bridge.close()
  leaving.bridge.close()
  call.tell({ kind: 'transfer.completed', leg: staying.leg.id, to: target.endpoint.number, attended: true })
  if (ended !== call) {
    ended.tell({ kind: 'call.joined', into: call.id })
    target.moveTo(call, staying.leg.role, back)
  }
  staying.leg.hangUp(outcome)
  leaving.leg.hangUp(back)
  if (ended !== call) ended.end(back)
  return { call, legs: [party, target] }
}

/** Whether `one` is the call that goes on. */
function stays(one: Call, other: Call): boolean {
  const [from, against] = [one, other].map((call) => call.identity.asker.kind === 'trunk')
  return from === against ? one.startedAt <= other.startedAt : from === true
}
