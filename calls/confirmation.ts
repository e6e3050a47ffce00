import type { Leg } from '#calls/leg.ts'
import { unconfirmed } from '#calls/leg-dialog.ts'
import type { PlayId, PlayItem } from '#media/engine.ts'

/** So long somebody who picked up is asked. */
const askedMs = 20_000
/** Between two times the question is put. */
const pauseMs = 1_500

/**
 * Asks whoever picked up a phone outside to press a key before they are connected, so that a voicemail never swallows a company's call.
 * The leg is answered when the key comes, and hung up when it does not. Ends with the leg, whoever ends it.
 */
export class Confirmation {
  #leg: Leg
  #key: string
  #playing: PlayId | null = null
  #until: Disposable
  #digits: Disposable
  #gone: Disposable
  #over = false

  constructor(leg: Leg, key: string) {
    const { needs, identity } = leg.call
    this.#leg = leg
    this.#key = key
    leg.call.tell({ kind: 'leg.asked', leg: leg.id, key })
    this.#until = needs.clock.after(askedMs, () => leg.hangUp(unconfirmed(leg)))
    this.#digits = leg.onDigit.on((digit) => {
      if (digit === this.#key) this.#confirmed()
    })
    this.#gone = leg.onEnded.on(() => this.#close())
    const items = needs.announcer.confirm(key, identity)
    if (items instanceof Promise)
      items.then(
        (found) => this.#ask(found),
        () => this.#ask([]),
      )
    else this.#ask(items)
  }

  #ask(items: readonly PlayItem[]): void {
    if (this.#over) return
    // Without a voice a beep says at least that something is expected.
    const said: readonly PlayItem[] = items.length > 0 ? items : [{ kind: 'tone', tone: 'beep', ms: 300 }]
    this.#playing = this.#leg.media.endpoint.play([...said, { kind: 'silence', ms: pauseMs }], { loop: true })
  }

  #confirmed(): void {
    if (this.#over) return
    this.#close()
    if (this.#playing !== null) this.#leg.media.endpoint.stop(this.#playing)
    this.#leg.confirm()
  }

  #close(): void {
    this.#over = true
    this.#until[Symbol.dispose]()
    this.#digits[Symbol.dispose]()
    this.#gone[Symbol.dispose]()
  }
}
