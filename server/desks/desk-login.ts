import type { Outcome } from '#contract/outcome.ts'
import type { Call, Part } from '#calls/call.ts'
import { Gather } from '#calls/gather.ts'
import type { Leg } from '#calls/leg.ts'
import type { PlayItem } from '#media/engine.ts'
import type { DeskWords } from '#server/desks/desk-voice.ts'

/** What somebody at a shared phone is measured by. */
export interface Desk {
  readonly longestPin: number
  isClosed(): boolean
  /** Logs them in; what is wrong is not told apart. */
  login(extension: string, pin: string): 'in' | 'wrong' | 'closed'
  say(words: DeskWords): Promise<readonly PlayItem[]>
}

/** So often somebody may be wrong, or say nothing, in one call. */
const attempts = 3
/** The longest extension. */
const longestExtension = 6

/** Somebody at a shared phone is asked for their extension and their PIN, and logged in or sent away. Their keys are told to nobody. */
export class DeskLogin implements Part {
  readonly #call: Call
  readonly #leg: Leg
  readonly #desk: Desk
  readonly #gather: Gather
  readonly #left: Disposable
  /** As dialled; null: it is asked for. */
  readonly #given: string | null
  #extension: string | null
  #attempt = 1
  #over = false

  constructor(call: Call, leg: Leg, desk: Desk, extension: string | null) {
    this.#call = call
    this.#leg = leg
    this.#desk = desk
    this.#given = extension
    this.#extension = extension
    call.own(this)
    this.#left = leg.onEnded.on((outcome) => call.end(outcome))
    this.#gather = new Gather(leg, 1, { onEntered: (digits) => this.#entered(digits), onSilent: () => this.#silent() })
    if (desk.isClosed()) this.#part('closed', { kind: 'barred', by: 'us', detail: 'no PIN is taken at this phone any more today' })
    else this.#ask()
  }

  close(): void {
    if (this.#over) return
    this.#over = true
    this.#left[Symbol.dispose]()
    this.#gather[Symbol.dispose]()
    this.#call.disown(this)
  }

  #ask(first?: 'wrong'): void {
    this.#gather.longest = this.#extension === null ? longestExtension : this.#desk.longestPin
    const question = this.#extension === null ? ('extension' as const) : ('pin' as const)
    const words = first === undefined ? [question] : [first, question]
    this.#gather.ask(Promise.all(words.map((each) => this.#desk.say(each))).then((all) => all.flat()))
  }

  #entered(digits: string): void {
    if (digits === '') this.#silent()
    else if (this.#extension === null) {
      this.#extension = digits
      this.#ask()
    } else this.#checked(this.#extension, this.#desk.login(this.#extension, digits))
  }

  #checked(extension: string, answer: ReturnType<Desk['login']>): void {
    if (answer === 'in') this.#part({ loggedIn: extension }, { kind: 'completed', by: 'us' })
    else if (answer === 'closed') this.#part('closed', { kind: 'barred', by: 'us', detail: 'no PIN is taken any more today' })
    else if (this.#attempt++ >= attempts) this.#part('closed', { kind: 'barred', by: 'us', detail: `the PIN was wrong ${attempts} times` })
    else {
      this.#extension = this.#given
      this.#ask('wrong')
    }
  }

  #silent(): void {
    if (this.#attempt++ < attempts) this.#ask()
    else this.#hangUp({ kind: 'abandoned', by: 'caller', detail: 'no PIN was entered' })
  }

  #part(words: DeskWords, outcome: Outcome): void {
    this.#gather.part(this.#desk.say(words), () => this.#hangUp(outcome))
  }

  #hangUp(outcome: Outcome): void {
    this.close()
    this.#leg.hangUp(outcome)
    this.#call.end(outcome)
  }
}
