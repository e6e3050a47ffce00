import type { Clock, Millis } from '#base/clock.ts'
import type { EventDialog, KeptDialog, Unanswered } from '#sip/agent.ts'
import type { EventPackage, EventView, Watch } from '#sip/events/event-package.ts'
import type { SipResponse } from '#sip/message/message.ts'

/** Why a subscription ended (RFC 6665 §4.1.3), as its last NOTIFY says; `silent`: nobody is there to be told. */
export type Ended = 'deactivated' | 'giveup' | 'noresource' | 'rejected' | 'timeout' | 'silent'

/** A subscription as plain data that outlives the process. */
export interface KeptSubscription {
  readonly id: string
  readonly event: string
  /** The `id` parameter of Event; null without. */
  readonly eventId: string | null
  readonly watch: Watch
  /** Wall time, milliseconds since the Unix epoch. */
  readonly expiresWall: number
  readonly version: number
  readonly dialog: KeptDialog
}

export interface SubscriptionNeeds {
  readonly clock: Clock
  readonly package: EventPackage
  /** Something that must survive the process changed. */
  onChanged(subscription: Subscription): void
  /** Told once, after the last NOTIFY was handed over. */
  onEnded(subscription: Subscription, why: Ended): void
}

/** What a subscription is made of; `version`: the number of its next document. */
export interface SubscriptionParts {
  readonly id: string
  readonly eventId: string | null
  readonly watch: Watch
  readonly dialog: EventDialog
  readonly version: number
}

/** NOTIFYs after which the kept data are renewed: an adopted dialog and its documents count on from a thousand above. */
const KEPT_FOR = 500

/** How far the document version jumps when a subscription is taken over, as CSeq does. */
export const ADOPTED_VERSION_MARGIN = 1_000

/**
 * One accepted subscription (RFC 6665 §4.2):
 *
 *     active ──expiry, unsubscribe, revocation──▶ terminated (a last NOTIFY says why)
 *        └────NOTIFY refused or unanswered──────▶ terminated (silently)
 *
 * NOTIFYs go out one after the other, those nobody asked for with the package's pause between them: what changes meanwhile is told together.
 */
export class Subscription {
  readonly id: string
  readonly watch: Watch
  readonly #needs: SubscriptionNeeds
  readonly #eventId: string | null
  readonly #dialog: EventDialog
  readonly #view: EventView
  #version: number
  #expiresAt: Millis = 0
  #notifiedAt = -Infinity
  #sinceKept = 0
  #expiry: Disposable | null = null
  #pause: Disposable | null = null
  #wants: 'nothing' | 'changes' | 'all' = 'nothing'
  #isNotifying = false
  #ended: Ended | null = null

  constructor(needs: SubscriptionNeeds, parts: SubscriptionParts) {
    this.id = parts.id
    this.watch = parts.watch
    this.#needs = needs
    this.#eventId = parts.eventId
    this.#dialog = parts.dialog
    this.#version = parts.version
    this.#view = needs.package.view(parts.watch)
  }

  get event(): string {
    return this.#needs.package.name
  }

  /** It ends, or has ended. */
  get isOver(): boolean {
    return this.#ended !== null
  }

  get expiresAt(): Millis {
    return this.#expiresAt
  }

  /** Grants `seconds` of life from now on and tells the whole state; 0 ends it with that (RFC 6665 §4.2.1.4, §4.4.3). */
  refresh(seconds: number): void {
    if (this.#ended !== null) return
    this.lives(seconds * 1000)
    if (seconds === 0) this.end('timeout')
    else this.#want('all')
    if (this.#ended === null) this.#keepNow()
  }

  /** Takes up a life of so long without telling anything. */
  lives(ms: Millis): void {
    this.#expiresAt = this.#needs.clock.now() + ms
    this.#expiry?.[Symbol.dispose]()
    if (ms > 0) this.#expiry = this.#needs.clock.after(ms, () => this.end('timeout'))
  }

  /** The state may have changed. */
  changed(): void {
    if (this.#ended === null && this.#wants !== 'all') this.#want('changes')
  }

  /** Tells the whole state, whatever was told before. */
  retell(): void {
    if (this.#ended === null) this.#want('all')
  }

  end(why: Ended): void {
    if (this.#ended !== null) return
    this.#ended = why
    this.close()
    // A NOTIFY under way must be answered first: one that overtakes it would be out of order.
    if (!this.#isNotifying) this.#finish()
  }

  /** Stops its timers; nothing is told. */
  close(): void {
    this.#expiry?.[Symbol.dispose]()
    this.#pause?.[Symbol.dispose]()
    this.#pause = null
  }

  keep(): KeptSubscription {
    const left = this.#expiresAt - this.#needs.clock.now()
    return {
      id: this.id,
      event: this.event,
      eventId: this.#eventId,
      watch: this.watch,
      expiresWall: this.#needs.clock.wall() + left,
      version: this.#version,
      dialog: this.#dialog.keep(),
    }
  }

  #want(what: 'changes' | 'all'): void {
    this.#wants = what
    if (this.#isNotifying) return
    const wait = what === 'all' ? 0 : this.#notifiedAt + this.#needs.package.pauseMs - this.#needs.clock.now()
    if (wait <= 0) this.#tellNow()
    else this.#pause ??= this.#needs.clock.after(wait, () => this.#tellNow())
  }

  #tellNow(): void {
    this.#pause?.[Symbol.dispose]()
    this.#pause = null
    const document = this.#wants === 'all' ? this.#view.full(this.#version) : this.#view.changes(this.#version)
    this.#wants = 'nothing'
    if (document === null) return
    const seconds = Math.max(1, Math.ceil((this.#expiresAt - this.#needs.clock.now()) / 1000))
    void this.#notify(`active;expires=${seconds}`, document)
  }

  async #notify(state: string, document: string): Promise<void> {
    this.#version++
    this.#isNotifying = true
    this.#notifiedAt = this.#needs.clock.now()
    if (++this.#sinceKept >= KEPT_FOR && this.#ended === null) this.#keepNow()
    const result = await this.#send(state, document)
    this.#isNotifying = false
    this.#told(result)
  }

  #told(result: SipResponse | Unanswered): void {
    if (this.#ended === null && isGone(result)) this.end('silent')
    else if (this.#ended !== null) this.#finish()
    else if (this.#wants !== 'nothing') this.#want(this.#wants)
  }

  /** The last NOTIFY, with the whole state (RFC 6665 §4.2.2); none when the peer is not there. */
  #finish(): void {
    const why = this.#ended ?? 'silent'
    this.#dialog.forget()
    this.#needs.onEnded(this, why)
    if (why === 'silent') return
    void this.#send(`terminated;reason=${why}`, this.#view.full(this.#version))
  }

  #send(state: string, document: string): Promise<SipResponse | Unanswered> {
    const event = this.#eventId === null ? this.event : `${this.event};id=${this.#eventId}`
    const headers = [['Event', event] as const, ['Subscription-State', state] as const]
    return this.#dialog.request('NOTIFY', headers, { contentType: this.#view.type, bytes: Buffer.from(document) })
  }

  #keepNow(): void {
    this.#sinceKept = 0
    this.#needs.onChanged(this)
  }
}

/** Refusals that end the subscription, and silence (RFC 6665 §4.2.2, RFC 5057 §5.1). Others may be about this NOTIFY only. */
const FINAL: ReadonlySet<number> = new Set([404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])

function isGone(result: SipResponse | Unanswered): boolean {
  return result.kind === 'unanswered' || FINAL.has(result.status)
}
