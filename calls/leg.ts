import { Emitter } from '#base/emitter.ts'
import type { EndpointRef } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import type { KeptLeg } from '#calls/kept.ts'
import type { LegMedia } from '#calls/leg-media.ts'
import { LegDialog } from '#calls/leg-dialog.ts'
import { reasonOf } from '#calls/q850.ts'
import type { Referral } from '#calls/referral.ts'
import type { EndpointEvents, StreamQuality, StreamStats } from '#media/engine.ts'
import type { DialogEvents, IncomingRequest, InviteDialog, Reason } from '#sip/agent.ts'
import type { DialogName } from '#sip/dialog/replaces.ts'

/**
 * Where a leg is.
 *
 *     calling ──180──▶ ringing ──2xx──▶ talking ──BYE──▶ ended       (we call)
 *     incoming ─180──▶ ringing ─accept─▶ answering ─2xx─▶ talking     (they call)
 *
 * Any state goes to `ended`, once. `answering`: accepted by us, the first facts on their way to disk.
 */
export type LegState = 'calling' | 'incoming' | 'ringing' | 'answering' | 'talking' | 'ended'

/** How the far end of an unanswered leg is told that it is over: cancels, refuses, or nothing when it told us. */
export type Withdraw = (outcome: Outcome, reason: Reason | undefined) => void

/** One party's signalling dialog and its media, as seen by us. */
export class Leg {
  readonly endpoint: EndpointRef
  readonly media: LegMedia
  readonly onEnded = new Emitter<Outcome>()
  /** The peer put us on hold (true) or took us back (false). */
  readonly onHold = new Emitter<boolean>()
  /** The peer asks that its other party be connected elsewhere (REFER). */
  readonly onReferral = new Emitter<Referral>()
  /** The peer writes to its other party (RFC 3428), and waits for an answer. */
  readonly onMessage = new Emitter<IncomingRequest>()
  /** How its dialog is named by others before it stands: the tags of all who might answer. */
  early: { readonly callId: string; readonly localTag: string; readonly remoteTags: string[] } | null = null
  /** Since when it rings, by the monotonic clock; null: it never has. */
  rangAt: number | null = null
  /** While a PIN is entered: facts say that a key was pressed, and not which. */
  hidesDigits = false
  #id: string
  #call: Call
  #role: 'caller' | 'callee'
  #state: LegState
  #outcome: Outcome | null = null
  #dialog: InviteDialog | null = null
  #answeredAt: number | null = null
  #withdraw: Withdraw
  #confirms: boolean
  // Of what many legs have nobody to hear it, the emitters are made for who does.
  #onRinging: Emitter<{ earlyMedia: boolean }> | null = null
  #onPickedUp: Emitter<void> | null = null
  #onAnswered: Emitter<void> | null = null
  #onDigit: Emitter<string> | null = null

  constructor(
    call: Call,
    opened: {
      role: 'caller' | 'callee'
      endpoint: EndpointRef
      media: LegMedia
      withdraw: Withdraw
      incoming?: boolean
      confirms?: boolean
      kept?: KeptLeg
    },
  ) {
    this.#call = call
    this.#role = opened.role
    this.endpoint = opened.endpoint
    this.media = opened.media
    this.#withdraw = opened.withdraw
    this.#confirms = opened.confirms ?? false
    this.#state = (opened.incoming ?? opened.role === 'caller') ? 'incoming' : 'calling'
    this.#id = opened.kept?.id ?? call.nextLegId()
    this.#answeredAt = opened.kept?.answeredAt ?? null
    call.add(this)
    this.media.attach(new LegAudio(this))
  }

  /** Says that the leg is there; `sip`: the Call-ID of its dialog; `tag`: that of the caller, where the Call-ID is the caller's. */
  begin(sip: string, tag?: string): void {
    const { id: leg, role, endpoint } = this
    this.call.tell(
      tag === undefined ? { kind: 'leg.started', leg, role, endpoint, sip } : { kind: 'leg.started', leg, role, endpoint, sip, tag },
    )
  }

  get onRinging(): Emitter<{ earlyMedia: boolean }> {
    return (this.#onRinging ??= new Emitter())
  }
  /** Its dialog stands. Who must confirm is not answered yet. */
  get onPickedUp(): Emitter<void> {
    return (this.#onPickedUp ??= new Emitter())
  }
  get onAnswered(): Emitter<void> {
    return (this.#onAnswered ??= new Emitter())
  }
  get onDigit(): Emitter<string> {
    return (this.#onDigit ??= new Emitter())
  }

  get id(): string {
    return this.#id
  }
  get call(): Call {
    return this.#call
  }
  get role(): 'caller' | 'callee' {
    return this.#role
  }
  get state(): LegState {
    return this.#state
  }
  get outcome(): Outcome | null {
    return this.#outcome
  }
  get answeredAt(): number | null {
    return this.#answeredAt
  }
  get dialog(): InviteDialog | null {
    return this.#dialog
  }

  /** The far end rings, or we tell a caller so. Tells the fact once. */
  ringing(earlyMedia: boolean): void {
    if (this.#state === 'calling' || this.#state === 'incoming') {
      this.#state = 'ringing'
      this.rangAt = this.call.needs.clock.now()
      this.call.tell({ kind: 'leg.ringing', leg: this.id, earlyMedia })
    } else if (this.#state !== 'ringing') return
    this.#onRinging?.emit({ earlyMedia })
  }

  /** Accepted by us; the 2xx goes out when the facts are on disk. */
  answering(): void {
    this.#state = 'answering'
  }

  /** The dialog stands. */
  talk(dialog: InviteDialog): void {
    this.#dialog = dialog
    this.#state = 'talking'
    // A call that talks does not hold on to what it took to connect it.
    this.#withdraw = nothing
    this.early = null
    this.#onPickedUp?.emit()
    // Whoever heard of it may have ended it.
    if (!this.#confirms && this.#outcome === null) this.confirm()
  }

  /** It counts as answered from here: at once, or when the key that takes the call was pressed. */
  confirm(): void {
    if (this.#answeredAt === null) {
      this.#answeredAt = this.call.needs.clock.wall()
      this.call.tell({ kind: 'leg.answered', leg: this.id })
    }
    this.call.changed()
    this.#onAnswered?.emit()
  }

  /**
   * A leg that talks goes over to another call of the same company, where it takes the part `role`: two calls have become one. The call that it
   * leaves has it as transferred; the other tells of it from now on.
   */
  moveTo(call: Call, role: 'caller' | 'callee', outcome: Outcome): void {
    this.#call.tell({ kind: 'leg.ended', leg: this.#id, outcome })
    this.#call.remove(this)
    this.#call = call
    this.#role = role
    this.#id = call.nextLegId()
    call.add(this)
    this.begin(this.#dialog?.callId ?? '')
    call.tell({ kind: 'leg.answered', leg: this.#id })
    call.changed()
  }

  /** The dialogs that others may name to mean this leg: the one that stands, or all that might. */
  get names(): readonly DialogName[] {
    if (this.#dialog !== null) return [this.#dialog]
    if (this.early === null) return []
    const { callId, localTag, remoteTags } = this.early
    return remoteTags.map((remoteTag) => ({ callId, localTag, remoteTag }))
  }

  /** Ends the leg from our side, in whatever state it is. */
  hangUp(outcome: Outcome, reason?: Reason): void {
    if (this.#state === 'ended') return
    const dialog = this.#dialog
    if (dialog !== null) dialog.bye(reason ?? reasonOf(outcome))
    else this.#withdraw(outcome, reason)
    this.over(outcome)
  }

  /** The far end is gone, or never came: it needs to be told nothing more. */
  over(outcome: Outcome): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#outcome = outcome
    this.media.close()
    this.call.tell({ kind: 'leg.ended', leg: this.id, outcome })
    this.call.remove(this)
    this.onEnded.emit(outcome)
  }

  digit(digit: string, by: 'rtp' | 'info'): void {
    this.call.tell({ kind: 'digit.pressed', leg: this.id, digit: this.hidesDigits ? '•' : digit, by })
    this.#onDigit?.emit(digit)
  }

  /** What this leg does with its dialog's requests. */
  dialogEvents(): DialogEvents {
    return new LegDialog(this)
  }

  keep(): KeptLeg | null {
    const media = this.media.keep()
    if (this.#state !== 'talking' || this.#dialog === null || media === null || this.#answeredAt === null) return null
    return { id: this.id, role: this.role, endpoint: this.endpoint, dialog: this.#dialog.keep(), media, answeredAt: this.#answeredAt }
  }
}

const nothing: Withdraw = () => undefined

/** What a leg does with what its endpoint tells. A class: its methods cost a leg nothing, closures cost it one each. */
class LegAudio implements EndpointEvents {
  readonly #leg: Leg

  constructor(leg: Leg) {
    this.#leg = leg
  }

  onDigit(digit: string): void {
    this.#leg.digit(digit, 'rtp')
  }
  onSilent(ms: number): void {
    const { role, endpoint } = this.#leg
    this.#leg.hangUp({ kind: 'media-lost', by: role, detail: `no audio from ${endpoint.number} for ${Math.round(ms / 1000)} s` })
  }
  onFailed(cause: string): void {
    this.#leg.hangUp({ kind: 'failed', by: 'us', detail: cause })
  }
  onQuality(quality: StreamQuality): void {
    this.#leg.call.tell({ kind: 'leg.quality', leg: this.#leg.id, final: false, quality })
  }
  onStats({ quality }: StreamStats): void {
    if (quality !== undefined && (quality.received !== null || quality.sent !== null))
      this.#leg.call.tell({ kind: 'leg.quality', leg: this.#leg.id, final: true, quality })
  }
}
