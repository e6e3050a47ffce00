import type { Outcome } from '#contract/outcome.ts'
import type { FlowNode } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'
import { nodeOf } from '#flows/graph.ts'
import type { FlowEffect, FlowEnd, FlowFact, FlowRun, RunState, Token } from '#flows/types.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** One step of the interpreter in the making: the run as it changes, and the effects gathered so far. Lives for one call of `step`. */
export class Draft {
  readonly book: FlowBook
  readonly now: number
  readonly effects: FlowEffect[] = []
  #run: FlowRun
  #copy: Writable<FlowRun> | null = null

  constructor(book: FlowBook, run: FlowRun, now: number) {
    this.book = book
    this.#run = run
    this.now = now
  }

  get run(): FlowRun {
    return this.#run
  }

  /** The run, to be changed: a copy of the one that was given, made with the first change and one for all of them. */
  get changed(): Writable<FlowRun> {
    if (this.#copy === null) this.#run = this.#copy = { ...this.#run }
    return this.#copy
  }

  /** The run now waits in `state`. */
  become(state: RunState): null {
    this.changed.state = state
    return null
  }

  emit(effect: FlowEffect): void {
    this.effects.push(effect)
  }

  tell(fact: FlowFact): void {
    this.effects.push({ kind: 'fact', fact })
  }

  token(): Token {
    return ++this.changed.tokens
  }

  /** The node the run is at; undefined outside flows. */
  get node(): FlowNode | undefined {
    const { place } = this.run
    return place === null ? undefined : nodeOf(this.book.flows.get(place.flow), place.node)
  }

  answer(): void {
    if (this.run.answered) return
    this.changed.answered = true
    this.emit({ kind: 'answer' })
  }

  /** Plays to the caller, answering first. Returns the token. */
  play(prompts: readonly string[]): Token {
    this.answer()
    const play = this.token()
    this.emit({ kind: 'play', token: play, prompts })
    return play
  }

  /** Ends the run. `hangup` is left out when there is nobody to hang up on, or somebody to talk to. */
  end(why: FlowEnd, outcome: Outcome): null {
    const { place } = this.run
    this.changed.state = { name: 'ended', why, outcome }
    this.changed.keys = ''
    if (place !== null) this.tell({ kind: 'flow.left', flow: place.flow, why })
    if (why === 'hung-up' || why === 'broken') this.emit({ kind: 'hangup', outcome })
    return null
  }

  /** Ends a run that its documents lead astray: never silently. */
  break(detail: string): null {
    this.tell({ kind: 'alarm.raised', rule: 'flow-broken', severity: 'critical', detail })
    return this.end('broken', { kind: 'failed', by: 'us', detail })
  }
}
