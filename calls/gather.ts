import type { Leg } from '#calls/leg.ts'
import type { EndpointEvents, PlayId, PlayItem } from '#media/engine.ts'

export interface GatherEvents {
  /** Up to `#`, or as many as there can be, or what there was when no more came. */
  onEntered(digits: string): void
  /** Nothing was pressed in time. */
  onSilent(): void
}

/** After the question, and after each digit. */
const patienceMs = 10_000

/** Asks a leg for digits that nobody else may read: says something, and takes what is pressed. Whoever opens it closes it. */
export class Gather implements Disposable {
  /** So many digits are taken without a hash. */
  longest: number
  readonly #leg: Leg
  readonly #events: GatherEvents
  readonly #listening: Disposable
  readonly #heard: EndpointEvents = { onPlayed: (play) => this.#played(play) }
  #digits = ''
  #playing: PlayId | null = null
  #patience: Disposable | null = null
  /** The last words have begun. */
  #parting: (() => void) | null = null
  #over = false

  constructor(leg: Leg, longest: number, events: GatherEvents) {
    this.#leg = leg
    this.longest = longest
    this.#events = events
    leg.hidesDigits = true
    this.#listening = leg.onDigit.on((digit) => this.#pressed(digit))
    leg.media.attach(this.#heard)
  }

  /** Asks, or asks again. A key cuts it short. */
  ask(question: Promise<readonly PlayItem[]>): void {
    this.#wait()
    const begin = (items: readonly PlayItem[]): void => {
      if (this.#over || (this.#digits !== '' && this.#parting === null)) return
      if (items.length === 0) this.#said()
      else this.#playing = this.#leg.media.endpoint.play(items)
    }
    question.then(begin, () => begin([]))
  }

  /** Says the last words; `then`, once they were heard or as much time has gone. */
  part(words: Promise<readonly PlayItem[]>, then: () => void): void {
    this.#parting = then
    this.ask(words)
  }

  [Symbol.dispose](): void {
    if (this.#over) return
    this.#over = true
    this.#patience?.[Symbol.dispose]()
    this.#listening[Symbol.dispose]()
    this.#leg.media.detach(this.#heard)
    this.#leg.hidesDigits = false
    if (this.#playing !== null) this.#leg.media.endpoint.stop(this.#playing)
  }

  #played(play: PlayId): void {
    if (play !== this.#playing) return
    this.#playing = null
    this.#said()
  }

  #said(): void {
    if (this.#parting === null) this.#wait()
    else this.#parting()
  }

  #wait(): void {
    this.#patience?.[Symbol.dispose]()
    // The question itself may take as long again.
    this.#patience = this.#leg.call.needs.clock.after(this.#playing === null ? patienceMs : 2 * patienceMs, () => this.#silent())
  }

  #silent(): void {
    if (this.#parting !== null) this.#parting()
    else if (this.#digits === '') this.#events.onSilent()
    else this.#entered()
  }

  #pressed(digit: string): void {
    if (this.#over || this.#parting !== null) return
    if (this.#playing !== null) this.#leg.media.endpoint.stop(this.#playing)
    this.#playing = null
    if (digit !== '#') this.#digits += digit
    if (digit === '#' || this.#digits.length >= this.longest) this.#entered()
    else this.#wait()
  }

  #entered(): void {
    const digits = this.#digits
    this.#digits = ''
    this.#events.onEntered(digits)
  }
}
