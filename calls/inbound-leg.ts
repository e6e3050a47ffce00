import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Body, DialogEvents, IncomingInvite } from '#sip/agent.ts'
import type { Call } from '#calls/call.ts'
import type { Encryption } from '#calls/encryption.ts'
import type { Codec } from '#media/engine.ts'
import { Leg } from '#calls/leg.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { inFull, tellingOf } from '#calls/outcome.ts'
import { reasonOf } from '#calls/q850.ts'
import type { HeaderLines } from '#sip/message/headers.ts'

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
    encryption,
    codecs,
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
  return new ArrivingLeg(call, incoming, { role, endpoint, media, answer, offersBack: offer === null, connectedWith })
}

/** What is answered, and how; `offersBack`: the INVITE had no offer, ours goes in its answer. */
interface Arrival {
  readonly role: 'caller' | 'callee'
  readonly endpoint: EndpointRef
  readonly media: LegMedia
  readonly answer: Body
  readonly offersBack: boolean
  readonly connectedWith: string | undefined
}

class ArrivingLeg implements InboundLeg {
  readonly leg: Leg
  /** Null once we have answered it: a call that talks holds on to no INVITE. */
  #incoming: IncomingInvite | null
  readonly #call: Call
  readonly #offersBack: boolean
  readonly #connectedWith: string | undefined
  /** Null once it is sent. */
  #answer: Body | null
  readonly #events: DialogEvents
  #told: 'nothing' | 'ringing' | 'early' = 'nothing'

  constructor(call: Call, incoming: IncomingInvite, arrival: Arrival) {
    const { role, endpoint, media } = arrival
    this.#call = call
    this.#incoming = incoming
    this.#answer = arrival.answer
    this.#offersBack = arrival.offersBack
    this.#connectedWith = arrival.connectedWith
    const leg = new Leg(call, { role, incoming: true, endpoint, media, withdraw: (outcome) => this.#refuse(outcome) })
    this.leg = leg
    const { callId, from } = incoming.request.headers
    leg.early = { callId, localTag: incoming.localTag, remoteTags: from.tag === undefined ? [] : [from.tag] }
    leg.begin(callId, from.tag)
    this.#events = leg.dialogEvents()
    incoming.early = this.#events
    incoming.onCancelled = (_reason, lost) =>
      leg.over(
        lost === undefined ? { kind: 'cancelled', by: 'caller', sip: 487 } : { kind: 'failed', by: 'caller', sip: 504, detail: lost },
      )
  }

  get #isOpen(): boolean {
    return this.leg.state === 'incoming' || this.leg.state === 'ringing'
  }

  ring(): boolean {
    if (this.#told === 'early') return !this.#isOpen
    if (this.#told === 'ringing' || !this.#isOpen) return true
    this.#told = 'ringing'
    this.#incoming?.progress(180)
    this.leg.ringing(false)
    return true
  }

  early(): boolean {
    // Our own offer may only go where its arrival is certain (RFC 3262 §5).
    if ((this.#offersBack && this.#incoming?.isReliable !== true) || !this.#isOpen) return false
    if (this.#told !== 'early') {
      this.#told = 'early'
      this.#incoming?.progress(183, this.#answer ?? undefined)
      this.leg.ringing(true)
    }
    return true
  }

  answer(then?: () => void): void {
    if (this.leg.state === 'talking') then?.()
    if (!this.#isOpen) return
    this.leg.answering()
    this.#call.needs.journal.whenKept(() => this.#accept(then))
  }

  #accept(then?: () => void): void {
    const incoming = this.#incoming
    if (this.leg.state !== 'answering' || incoming === null) return
    const answer = this.#answer
    this.#incoming = null
    this.#answer = null
    const headers: HeaderLines = this.#connectedWith === undefined ? [] : [['P-Asserted-Identity', this.#connectedWith]]
    this.leg.talk(incoming.accept(answer, this.#events, headers))
    then?.()
  }

  #refuse(outcome: Outcome): void {
    const full = inFull(outcome, this.#call.missed)
    const { status, words } = tellingOf(full)
    const why = reasonOf(full)
    this.#incoming?.reject(status, words, why === undefined ? [] : [['Reason', why]])
    this.#incoming = null
  }
}

/** Says that an INVITE was refused before it had a leg. */
export function tellRefused(call: Call, incoming: IncomingInvite, why: { reason: string; rule: string; sip: number }): void {
  const { callId, from } = incoming.request.headers
  call.tell({ kind: 'call.refused', ...why, invite: callId, ...(from.tag !== undefined && { tag: from.tag }) })
}
