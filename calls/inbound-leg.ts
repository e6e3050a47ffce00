import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { IncomingInvite } from '#sip/agent.ts'
import type { Call } from '#calls/call.ts'
import type { Encryption } from '#calls/encryption.ts'
import { bodyOf, Leg } from '#calls/leg.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { refusalOf } from '#calls/outcome.ts'
import { reasonOf } from '#calls/q850.ts'

/** A leg that called us, and what we can do with it before it is answered. */
export interface InboundLeg {
  readonly leg: Leg
  /** 180 once; with media already flowing use `early`. */
  ring(): void
  /** 183 with our answer, or offer: the caller hears what is played before anything is charged. False when no session can be had yet. */
  early(): boolean
  /** Accepts. The 2xx leaves when everything told so far is on disk; `then` runs when it has left. */
  answer(then?: () => void): void
}

/**
 * Opens the leg of an INVITE: takes a media port and answers the offer, so that a call that cannot have audio is refused before it
 * rings anybody. Null when it was refused (the INVITE has its answer, the call its outcome).
 */
export function openInbound(call: Call, incoming: IncomingInvite, endpoint: EndpointRef, encryption?: Encryption): InboundLeg | null {
  const media = LegMedia.open(call.needs, {
    peer: incoming.flow.remote.address,
    transport: incoming.flow.transport,
    ...(encryption !== undefined && { encryption }),
  })
  if (media === null) {
    incoming.reject(503, 'No media port is free', [['Retry-After', '5']])
    call.end({ kind: 'overloaded', by: 'us', sip: 503, detail: 'no media port is free' })
    return null
  }
  const offer = bodyOf(incoming.request)
  const answer = offer === null ? media.offer() : media.answer(offer)
  if ('refused' in answer) {
    media.close()
    incoming.reject(answer.refused, answer.why)
    call.end({ kind: 'failed', by: 'caller', sip: answer.refused, detail: answer.why })
    return null
  }
  const leg = new Leg(call, { role: 'caller', endpoint, media, withdraw: (outcome) => refuse(incoming, outcome) })
  leg.begin(incoming.request.headers.callId, incoming.request.headers.from.tag)
  incoming.early = leg.dialogEvents()
  incoming.onCancelled = (_reason, lost) =>
    leg.over(lost === undefined ? { kind: 'cancelled', by: 'caller', sip: 487 } : { kind: 'failed', by: 'caller', sip: 504, detail: lost })
  let told: 'nothing' | 'ringing' | 'early' = 'nothing'
  return {
    leg,
    ring() {
      if (told !== 'nothing' || !isOpen(leg)) return
      told = 'ringing'
      incoming.progress(180)
      leg.ringing(false)
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
        leg.talk(incoming.accept(answer, leg.dialogEvents()))
        then?.()
      })
    },
  }
}

function isOpen(leg: Leg): boolean {
  return leg.state === 'incoming' || leg.state === 'ringing'
}

function refuse(incoming: IncomingInvite, outcome: Outcome): void {
  const { status, reason } = refusalOf(outcome)
  const why = reasonOf(outcome)
  incoming.reject(
    outcome.sip !== undefined && outcome.sip >= 400 ? outcome.sip : status,
    outcome.detail ?? reason,
    why === undefined ? [] : [['Reason', why]],
  )
}
