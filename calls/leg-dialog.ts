import type { Outcome } from '#contract/outcome.ts'
import { digitsOf } from '#calls/info-digits.ts'
import type { Leg } from '#calls/leg.ts'
import { q850Of } from '#calls/q850.ts'
import { referralOf } from '#calls/referral.ts'
import type { Body, DialogEnd, DialogEvents, IncomingRequest, Reason } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** What a leg does with its dialog's requests. A class: its methods cost a leg nothing, closures cost it one each. */
export class LegDialog implements DialogEvents {
  readonly #leg: Leg

  constructor(leg: Leg) {
    this.#leg = leg
  }

  onAcknowledged(body: Body | null): void {
    if (body === null) return
    const accepted = this.#leg.media.accept(body)
    if (accepted !== 'ok') this.#leg.hangUp({ kind: 'failed', by: this.#leg.role, detail: accepted.why })
    else this.#tellHold()
  }

  onReinvite(request: SipRequest, reply: { accept(body: Body | null): void; reject(status: number, reason?: string): void }): void {
    const offer = bodyOf(request)
    if (offer === null) {
      reply.accept(this.#leg.media.offer())
      return
    }
    const answer = this.#leg.media.answer(offer)
    if ('refused' in answer) {
      reply.reject(answer.refused, answer.why)
      return
    }
    reply.accept(answer)
    this.#tellHold()
    this.#leg.call.changed()
  }

  onRequest(incoming: IncomingRequest): void {
    switch (incoming.request.method) {
      case 'INFO': {
        const digits = digitsOf(incoming.request)
        if (digits === null) incoming.respond(415, 'Unsupported Media Type', [['Accept', 'application/dtmf-relay, application/dtmf']])
        else {
          incoming.respond(200)
          for (const digit of digits) this.#leg.digit(digit, 'info')
        }
        return
      }
      case 'REFER':
        this.#referred(incoming)
        return
      case 'MESSAGE':
        if (this.#leg.onMessage.isHeard) this.#leg.onMessage.emit(incoming)
        else incoming.respond(480, 'There is nobody who could read it')
        return
      case 'NOTIFY':
        incoming.respond(200)
        return
      default:
        incoming.respond(501)
    }
  }

  onEnded(why: DialogEnd): void {
    this.#leg.over(this.#outcomeOf(why))
  }

  onChanged(): void {
    this.#leg.call.changed()
  }

  sessionBody(): Body | null {
    return this.#leg.media.repeat()
  }

  onRefreshed(answer: Body): void {
    this.#leg.media.accept(answer)
  }

  #tellHold(): void {
    const changed = this.#leg.media.holdChanged()
    if (changed === null) return
    this.#leg.call.tell({ kind: changed ? 'leg.held' : 'leg.resumed', leg: this.#leg.id, by: this.#leg.role })
    this.#leg.onHold.emit(changed)
  }

  #referred(incoming: IncomingRequest): void {
    const referral = referralOf(incoming, this.#leg)
    if ('status' in referral) {
      incoming.respond(referral.status, referral.reason)
      return
    }
    if (!this.#leg.onReferral.isHeard) {
      incoming.respond(603, 'There is nobody to be transferred')
      return
    }
    incoming.respond(202, undefined, referral.isQuiet ? [['Refer-Sub', 'false']] : [])
    this.#leg.onReferral.emit(referral)
  }

  #outcomeOf(why: DialogEnd): Outcome {
    switch (why.kind) {
      case 'bye':
        if (this.#leg.answeredAt === null) return unconfirmed(this.#leg)
        return { kind: 'answered', by: this.#leg.role, ...causeOfBye(why.reason) }
      case 'no-ack':
        return { kind: 'failed', by: this.#leg.role, detail: 'the answer was never acknowledged' }
      case 'gone':
        return { kind: 'failed', by: this.#leg.role, detail: why.detail }
      case 'expired':
        return { kind: 'failed', by: this.#leg.role, sip: 408, q850: 102, detail: why.detail }
    }
  }
}

/** How a leg ends that was picked up outside, and not with the key that takes the call. */
export function unconfirmed(leg: Leg): Outcome {
  return { kind: 'not-confirmed', by: leg.role, detail: `${leg.endpoint.number} was picked up and the call not taken with the key` }
}

/** A cause that a BYE carries (RFC 3326), unless it only says that somebody hung up. */
function causeOfBye(reason: Reason | null): { q850?: number } {
  const q850 = reason === null ? null : q850Of(reason)
  return q850 === null || q850 === 16 ? {} : { q850 }
}

/** The SDP of a message, or null when it carries none. */
export function bodyOf(message: { headers: SipRequest['headers']; body: Uint8Array }): Body | null {
  if (message.body.length === 0) return null
  return { contentType: message.headers.get('Content-Type') ?? 'application/sdp', bytes: message.body }
}
