import { Disposals } from '#base/disposal.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { RingPlan } from '#calls/needs.ts'
import { refusalOf } from '#calls/outcome.ts'
import { plainRingback, recall } from '#calls/recall.ts'
import type { Referral } from '#calls/referral.ts'
import { Ring } from '#calls/ring.ts'
import { reasonPhrase } from '#sip/message/reasons.ts'

export interface TransferEvents {
  /** The other party and the new one are to be bridged; the transferor has been let go. */
  onConnected(party: Leg, target: Leg): void
  /** Nobody took it. `transferor` is the leg that asked, back on the line, or null when it and its person cannot be reached any more. */
  onReturned(party: Leg, transferor: Leg | null, outcome: Outcome): void
  /** Nobody took it there. Where it goes on instead: further phones, or somewhere that takes the party as it is; null: nowhere. */
  onward(outcome: Outcome): Onward | null
}

/** Where a transferred call goes on that nobody took. */
export type Onward = { readonly plan: RingPlan } | { take(party: Leg): void }

/**
 * Blind transfer (RFC 3515, RFC 5589 §6): the party hears ringback while the target rings; the transferor may hang up at once. When
 * the target cannot be had, the call goes back to who transferred it: nobody is dropped because somebody else did not answer.
 */
export class BlindTransfer implements Part {
  #call: Call
  #party: Leg
  #transferor: Leg
  #referral: Referral
  #events: TransferEvents
  #ring: Part | null = null
  #over = false
  readonly #listening = new Disposals()

  constructor(call: Call, parties: { party: Leg; transferor: Leg }, referral: Referral, events: TransferEvents) {
    this.#call = call
    this.#party = parties.party
    this.#transferor = parties.transferor
    this.#referral = referral
    this.#events = events
    call.tell({ kind: 'transfer.requested', leg: this.#transferor.id, to: referral.to })
    call.own(this)
    this.#listening.use(this.#party.onEnded.on((outcome) => this.#partyLeft(outcome)))
    referral.notify(100, 'Trying')
    const found = call.needs.directory.resolve(referral.to, { ...call.identity, asker: this.#transferor.endpoint })
    if ('refused' in found) this.#failed(found.refused)
    else this.#start(found.plan)
  }

  close(outcome: Outcome): void {
    if (this.#over) return
    this.#finish()
    this.#ring?.close(outcome)
  }

  #start(plan: RingPlan): void {
    const play = this.#party.media.endpoint.play(plainRingback, { loop: true })
    this.#ring = new Ring(
      this.#call,
      { ...plan, diverted: 'deflection', ...(this.#referral.referredBy !== null && { referredBy: this.#referral.referredBy }) },
      this.#party,
      {
        onRinging: () => this.#referral.notify(180, 'Ringing'),
        onAnswered: (target) => {
          this.#party.media.endpoint.stop(play)
          this.#completed()
          this.#events.onConnected(this.#party, target)
        },
        onUnanswered: (outcome) => {
          this.#party.media.endpoint.stop(play)
          this.#unanswered(outcome)
        },
      },
    )
  }

  #completed(): void {
    this.#finish()
    transferred(this.#call, this.#transferor, this.#referral)
  }

  #unanswered(outcome: Outcome): void {
    const onward = this.#events.onward(outcome)
    if (onward === null) this.#failed(outcome)
    else if ('plan' in onward) this.#start(onward.plan)
    else {
      this.#completed()
      onward.take(this.#party)
    }
  }

  #failed(outcome: Outcome): void {
    const status = outcome.sip ?? refusalOf(outcome).status
    this.#referral.notify(status, reasonPhrase(status))
    this.#call.tell({ kind: 'transfer.failed', leg: this.#transferor.id, to: this.#referral.to, outcome })
    if (this.#transferor.state === 'talking') {
      this.#finish()
      this.#events.onReturned(this.#party, this.#transferor, outcome)
      return
    }
    this.#recall(outcome)
  }

  /** The transferor has hung up already: ring its phone again. */
  #recall(outcome: Outcome): void {
    this.#ring = recall(this.#party, this.#transferor.endpoint, (back) => {
      this.#finish()
      this.#events.onReturned(this.#party, back, outcome)
    })
  }

  #partyLeft(outcome: Outcome): void {
    this.close(outcome)
    this.#transferor.hangUp(outcome)
    this.#call.end(outcome)
  }

  #finish(): void {
    this.#over = true
    this.#listening[Symbol.dispose]()
    this.#call.disown(this)
  }
}

/** The party is where it was to go: the transferor is told so, and let go. */
export function transferred(call: Call, transferor: Leg, referral: Referral): void {
  referral.notify(200, 'OK')
  call.tell({ kind: 'transfer.completed', leg: transferor.id, to: referral.to })
  transferor.hangUp({ kind: 'transferred', by: transferor.role, detail: `transferred to ${referral.to}` })
}
