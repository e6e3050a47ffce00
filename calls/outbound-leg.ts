import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import { EarlyMedia } from '#calls/early-media.ts'
import { encryptionBar, usualEncryption } from '#calls/encryption.ts'
import { sayLastMinute } from '#calls/last-minute.ts'
import { Leg } from '#calls/leg.ts'
import { LegMedia } from '#calls/leg-media.ts'
import type { Destination, Lease } from '#calls/needs.ts'
import { isDead, isPassedOver, outcomeOf } from '#calls/outcome.ts'
import { reasons } from '#calls/q850.ts'
import type { Body, InviteSpec, OutgoingInvite, Unanswered } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'

export interface Attempt {
  readonly leg: Leg
}

export interface DialOptions {
  /** The leg whose media it will be joined with. */
  readonly near?: Leg | undefined
  readonly ringMs: number
  /** Picked up is not answered; the owner says when it is (`Leg.confirm`). */
  readonly confirms?: boolean
  /** Parallel branches that this one may become further on; default 1. */
  readonly breadth?: number
  /** The part it has in the call; who asked to be called is its caller. */
  readonly role?: 'caller' | undefined
  readonly onMiss: (miss: Miss) => void
}

/** How an attempt to reach one destination ended without an answer. `passedOver`: nobody was asked there, the next one may be tried. */
export interface Miss {
  outcome: Outcome
  passedOver: boolean
  /** Contacts of a 3xx, for an owner whose rule is to follow them. */
  redirectedTo: readonly string[]
}

/**
 * Calls one destination. The leg tells its own progress (`onRinging`, `onAnswered`, `onEnded`); `onMiss` comes before `onEnded`
 * when the far end, the network or our own limits refused.
 */
export function dial(call: Call, to: Destination, options: DialOptions): Attempt | Miss {
  const barred = encryptionBar(to.encryption ?? usualEncryption, to.via.transport)
  if (barred !== null) return miss({ kind: 'failed', by: 'us', sip: 488, detail: `${to.endpoint.number}: ${barred}` }, true)
  const lease = to.lease?.()
  if (typeof lease === 'string') return miss({ kind: 'unreachable', by: 'carrier', detail: lease }, true)
  const media = LegMedia.open(call.needs, {
    peer: 'remote' in to.via ? to.via.remote.address : to.via.address,
    transport: to.via.transport,
    encryption: to.encryption,
    near: options.near?.media,
    codecs: to.codecs,
  })
  if (media === null) {
    lease?.[Symbol.dispose]()
    return miss({ kind: 'overloaded', by: 'us', detail: 'no media port is free' }, false)
  }
  // Assigned below: the agent's events all come later than `invite` returns.
  let invite: OutgoingInvite | null = null
  const leg = new Leg(call, {
    role: options.role ?? 'callee',
    incoming: false,
    endpoint: to.endpoint,
    media,
    confirms: options.confirms === true,
    withdraw: (outcome, reason) => invite?.cancel(reason ?? (outcome.kind === 'answered-elsewhere' ? reasons.elsewhere : undefined)),
  })
  if (lease !== undefined) occupy(lease, leg)
  const failed = (failure: SipResponse | Unanswered): void => {
    if (leg.state === 'ended') return
    if (refusesMedia(failure) && media.mayOfferOtherwise()) {
      invite = send()
      leg.early = { callId: invite.callId, localTag: invite.localTag, remoteTags: [] }
      call.tell({ kind: 'leg.redialled', leg: leg.id, sip: invite.callId, why: 'encryption' })
      return
    }
    const outcome = outcomeOf(failure)
    const passedOver = leg.state === 'calling' && isPassedOver(failure)
    if (passedOver && isDead(failure)) lease?.passedOver(outcome.detail ?? outcome.kind)
    options.onMiss({ outcome, passedOver, redirectedTo: contactsOf(failure) })
    leg.over(outcome)
  }
  const early = new EarlyMedia(media)
  const send = (): OutgoingInvite =>
    call.needs.sip.invite(invitation(call, to, { body: media.offer(), timeoutMs: options.ringMs, maxBreadth: options.breadth ?? 1 }), {
      onProvisional: (response, tag) => {
        if (tag !== '' && leg.early?.remoteTags.includes(tag) === false) leg.early.remoteTags.push(tag)
        early.progressed(response, tag)
        progressed(leg, response.status, early.isHeard)
      },
      onAnswered: (response, dialog) => {
        dialog.acknowledge()
        const accepted = early.answered(response)
        if (leg.state === 'ended') dialog.bye(reasons.elsewhere)
        else if (accepted !== 'ok') {
          dialog.bye()
          options.onMiss({ outcome: { kind: 'failed', by: 'callee', detail: accepted.why }, passedOver: false, redirectedTo: [] })
          leg.over({ kind: 'failed', by: 'callee', detail: accepted.why })
        } else leg.talk(dialog)
      },
      onFailed: failed,
      dialog: leg.dialogEvents(),
    })
  invite = send()
  leg.early = { callId: invite.callId, localTag: invite.localTag, remoteTags: [] }
  leg.begin(invite.callId)
  return { leg }
}

/** What is sent to a destination. */
function invitation(
  call: Call,
  { uri, from, to, via, route, headers, credentials, silenceMs }: Destination,
  { body, timeoutMs, maxBreadth }: { body: Body; timeoutMs: number; maxBreadth: number },
): InviteSpec {
  const spec: InviteSpec = { uri, from, to, via, body, timeoutMs }
  if (route !== undefined) spec.route = route
  if (headers !== undefined) spec.headers = headers
  if (credentials !== undefined) spec.credentials = credentials
  if (silenceMs !== undefined) spec.silenceMs = silenceMs
  const { hops } = call.identity
  if (hops !== undefined) {
    spec.maxForwards = Math.max(0, hops - 1)
    spec.maxBreadth = maxBreadth
  }
  return spec
}

/** The leg has its lease until it ends. Apart from the rest of dialling, of which a leg that talks must not hold on to anything. */
function occupy(lease: Lease, leg: Leg): void {
  leg.onPickedUp.on(() =>
    lease.answered(
      (outcome) => leg.hangUp(outcome),
      () => sayLastMinute(leg),
    ),
  )
  leg.onEnded.on(() => lease[Symbol.dispose]())
}

/** Ringing starts, goes on, or is no longer drowned by somebody's early audio (199). Others, such as 181, say nothing about ringing. */
function progressed(leg: Leg, status: number, heard: boolean): void {
  if (status === 180 || status === 183 || heard || (status === 199 && leg.state === 'ringing')) leg.ringing(heard)
}

/** What was offered does not suit: 415, 488 (RFC 3261 §21.4.26), 606. */
function refusesMedia(failure: SipResponse | Unanswered): boolean {
  return failure.kind === 'response' && (failure.status === 488 || failure.status === 415 || failure.status === 606)
}

function contactsOf(failure: SipResponse | Unanswered): readonly string[] {
  return failure.kind === 'response' && failure.status >= 300 && failure.status < 400 ? failure.headers.all('Contact') : []
}

function miss(outcome: Outcome, passedOver: boolean): Miss {
  return { outcome, passedOver, redirectedTo: [] }
}
