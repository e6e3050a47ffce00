import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { IncomingInvite } from '#sip/agent.ts'
import type { Call } from '#calls/call.ts'
import type { Encryption } from '#calls/encryption.ts'
import type { Codec } from '#media/engine.ts'
import { bodyOf, Leg } from '#calls/leg.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { inFull, tellingOf } from '#calls/outcome.ts'
import { reasonOf } from '#calls/q850.ts'

/** A leg that called us, and what we can do with it before it is answered. */
export interface InboundLeg {
  readonly leg: Leg
  /** 180 once. False when the caller hears our audio already: then ringing must be heard in it. */
  ring(): boolean
  /** 183 with our answer, or offer: the caller hears what is played before anything is charged. False when no session can be had yet. */
  early(): boolean
  /** Accepts. The 2xx leaves when everything told so far is on disk; `then` runs when it has left. */
  answer(then?: () => void): void
}

/**
 * Opens the leg of an INVITE: takes a media port and answers the offer, so that a call that cannot have audio is refused before it
 * rings anybody. Null when it was refused (the INVITE has its answer, the call its outcome).
 */
export function openInbound(call: Call, incoming: IncomingInvite, endpoint: EndpointRef, wishes: MediaWishes = {}): InboundLeg | null {
  const opened = openLeg(call, incoming, { endpoint, role: 'caller', ...wishes })
  if ('leg' in opened) return opened
  tellRefused(call, incoming, { reason: opened.detail ?? opened.kind, rule: 'no-media', sip: opened.sip ?? 500 })
  call.end(opened)
  return null
}

/** How a leg that calls us comes into a call. */
export interface Arriving extends MediaWishes {
  readonly endpoint: EndpointRef
  readonly role: 'caller' | 'callee'
  /** Name-addr of whom it is connected with when that is not whom it called: told in our 2xx (RFC 3325 §9.1). */
  readonly connectedWith?: string
}

/** What its device or trunk is set to; absent: the usual. */
export interface MediaWishes {
  readonly encryption?: Encryption
  /** In order of preference. */
  readonly codecs?: readonly Codec[]
}

/** As `openInbound`, into a call that goes on whether this leg can be had or not: the outcome of one that was refused. */
export function openLeg(
  call: Call,
  incoming: IncomingInvite,
  { endpoint, role, encryption, codecs, connectedWith }: Arriving,
): InboundLeg | Outcome {
  const media = LegMedia.open(call.needs, {
    peer: incoming.flow.remote.address,
    transport: incoming.flow.transport,
    ...(encryption !== undefined && { encryption }),
    ...(codecs !== undefined && { codecs }),
  })
  if (media === null) {
    incoming.reject(503, 'No media port is free', [['Retry-After', '5']])
    return { kind: 'overloaded', by: 'us', sip: 503, detail: 'no media port is free' }
  }
  const offer = bodyOf(incoming.request)
  const answer = offer === null ? media.offer() : media.answer(offer)
  if ('refused' in answer) {
    media.close()
    incoming.reject(answer.refused, answer.why)
    return { kind: 'failed', by: 'caller', sip: answer.refused, detail: answer.why }
  }
  const leg = new Leg(call, {
    role,
    incoming: true,
    endpoint,
    media,
    withdraw: (outcome) => refuse(incoming, inFull(outcome, call.missed)),
  })
  const { callId, from } = incoming.request.headers
  leg.early = { callId, localTag: incoming.localTag, remoteTags: from.tag === undefined ? [] : [from.tag] }
  leg.begin(callId, from.tag)
  const events = leg.dialogEvents()
  incoming.early = events
  incoming.onCancelled = (_reason, lost) =>
    leg.over(lost === undefined ? { kind: 'cancelled', by: 'caller', sip: 487 } : { kind: 'failed', by: 'caller', sip: 504, detail: lost })
  let told: 'nothing' | 'ringing' | 'early' = 'nothing'
  return {
    leg,
    ring() {
      if (told === 'early') return !isOpen(leg)
      if (told === 'ringing' || !isOpen(leg)) return true
      told = 'ringing'
      incoming.progress(180)
      leg.ringing(false)
      return true
    },
    early() {
      // Our own offer may only go where its arrival is certain (RFC 3262 §5).
      if ((offer === null && !incoming.isReliable) || !isOpen(leg)) return false
      if (told !== 'early') {
        told = 'early'
        incoming.progress(183, answer)
        leg.ringing(true)
      }
      return true
    },
    answer(then) {
      if (leg.state === 'talking') then?.()
      if (!isOpen(leg)) return
      leg.answering()
      call.needs.journal.whenKept(() => {
        if (leg.state !== 'answering') return
        leg.talk(incoming.accept(answer, events, connectedWith === undefined ? [] : [['P-Asserted-Identity', connectedWith]]))
        then?.()
      })
    },
  }
}

/** Says that an INVITE was refused before it had a leg. */
export function tellRefused(call: Call, incoming: IncomingInvite, why: { reason: string; rule: string; sip: number }): void {
  const { callId, from } = incoming.request.headers
  call.tell({ kind: 'call.refused', ...why, invite: callId, ...(from.tag !== undefined && { tag: from.tag }) })
}

function isOpen(leg: Leg): boolean {
  return leg.state === 'incoming' || leg.state === 'ringing'
}

function refuse(incoming: IncomingInvite, outcome: Outcome): void {
  const { status, words } = tellingOf(outcome)
  const why = reasonOf(outcome)
  incoming.reject(status, words, why === undefined ? [] : [['Reason', why]])
}
