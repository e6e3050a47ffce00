import type { Clock } from '#base/clock.ts'
import type { LegMedia, MediaNeeds } from '#calls/leg-media.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import type { RecordingHandle } from '#media/engine.ts'
import type { Body, DialogEvents, DialogEnd, InviteDialog } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** What a simulated person does once the line is open, each at so many milliseconds after the answer. */
export interface Script {
  digits: readonly { digits: string; atMs: number }[]
  plays: readonly { file: string; atMs: number }[]
  /** Hangs up by itself after so long; null: waits for the other side. */
  hangUpAfterMs: number | null
}

export const silentScript: Script = { digits: [], plays: [], hangUpAfterMs: null }

/** One simulated person on one line: follows a script, and has on tape what the line brought. */
export class Party {
  readonly media: LegMedia
  #clock: Clock
  #script: Script
  #timers: Disposable[] = []
  #dialog: InviteDialog | null = null
  #tape: { file: string; handle: RecordingHandle } | null = null
  #taped = Promise.withResolvers<string | null>()
  #over = false
  readonly #onEnded: (why: DialogEnd | { kind: 'hung-up' }) => void

  /** `tape`: where to write what is heard, as WAV; null: nowhere. */
  constructor(needs: MediaNeeds & { clock: Clock }, options: { media: LegMedia; script: Script; onEnded: Party['onEnded'] }) {
    this.#clock = needs.clock
    this.media = options.media
    this.#script = options.script
    this.#onEnded = options.onEnded
    this.media.attach({
      onRecorded: ({ file }) => this.#taped.resolve(file),
      onRecordFailed: () => this.#taped.resolve(null),
    })
  }

  get onEnded(): (why: DialogEnd | { kind: 'hung-up' }) => void {
    return this.#onEnded
  }

  /** Begins to tape what comes; before the answer, so that early audio is on it. */
  tape(file: string): void {
    if (this.#tape === null && !this.#over)
      this.#tape = { file, handle: this.media.endpoint.record(file, { format: 'wav', only: 'received' }) }
  }

  /** The line is open. */
  begin(dialog: InviteDialog): void {
    this.#dialog = dialog
    const { digits, plays, hangUpAfterMs } = this.#script
    for (const press of digits) this.#at(press.atMs, () => this.press(press.digits))
    for (const play of plays) this.#at(play.atMs, () => this.say(play.file))
    if (hangUpAfterMs !== null) this.#at(hangUpAfterMs, () => this.hangUp())
  }

  /** Presses keys now. */
  press(digits: string): void {
    if (!this.#over) this.media.endpoint.sendDtmf(digits)
  }

  /** Speaks a sound file now, instead of what it was saying. */
  say(file: string): void {
    if (!this.#over) this.media.endpoint.play([{ kind: 'file', file }])
  }

  hangUp(): void {
    if (this.#over) return
    this.#dialog?.bye()
    this.#end({ kind: 'hung-up' })
  }

  dialogEvents(): DialogEvents {
    return {
      onAcknowledged: (body) => void (body !== null && this.media.accept(body)),
      onReinvite: (request: SipRequest, reply) => {
        const offer = bodyOf(request)
        const answer: Body | { refused: number; why: string } = offer === null ? this.media.offer() : this.media.answer(offer)
        if ('refused' in answer) reply.reject(answer.refused, answer.why)
        else reply.accept(answer)
      },
      onEnded: (why) => this.#end(why),
    }
  }

  /** The tape, complete on disk; null when there is none. Resolves after the end. */
  taped(): Promise<string | null> {
    if (this.#tape === null) this.#taped.resolve(null)
    return this.#taped.promise
  }

  /** The call never came to be, or is over. */
  close(): void {
    this.#over = true
    for (const timer of this.#timers) timer[Symbol.dispose]()
    this.#tape?.handle.stop()
    this.media.close()
  }

  #end(why: DialogEnd | { kind: 'hung-up' }): void {
    if (this.#over) return
    this.close()
    this.#onEnded(why)
  }

  #at(ms: number, act: () => void): void {
    this.#timers.push(this.#clock.after(ms, act))
  }
}
