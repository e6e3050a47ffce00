import type { Outcome } from '#contract/outcome.ts'
import type { FlowNode } from '#contract/documents/flow.ts'
import type { FlowBook } from '#flows/book.ts'
import { nodeOf } from '#flows/graph.ts'
import type { FlowEffect, FlowEnd, FlowFact, FlowRun, RunState, Speaking, Token } from '#flows/types.ts'

/** One step of the interpreter in the making: the run as it changes, and the effects gathered so far. Lives for one call of `step`. */
export class Draft {
  readonly book: FlowBook
  readonly now: number
  readonly effects: FlowEffect[] = []
  run: FlowRun

  constructor(book: FlowBook, run: FlowRun, now: number) {
    this.book = book
    this.run = run
    this.now = now
  }

  change(changes: Partial<FlowRun>): void {
    this.run = { ...this.run, ...changes }
  }

  /** The run now waits in `state`. */
  become(state: RunState): null {
    this.change({ state })
    return null
  }

  emit(effect: FlowEffect): void {
    this.effects.push(effect)
  }

  tell(fact: FlowFact): void {
    this.effects.push({ kind: 'fact', fact })
  }

  token(): Token {
    const token = this.run.tokens + 1
    this.change({ tokens: token })
    return token
  }

  /** The node the run is at; undefined outside flows. */
  get node(): FlowNode | undefined {
    const { place } = this.run
    return place === null ? undefined : nodeOf(this.book.flows.get(place.flow), place.node)
  }

  answer(): void {
    if (this.run.answered) return
    this.change({ answered: true })
    this.emit({ kind: 'answer' })
  }

  /** Plays to the caller, answering first. */
  play(prompts: readonly string[]): Speaking {
    this.answer()
    const play = this.token()
    this.emit({ kind: 'play', token: play, prompts })
    return { play, prompts }
  }

  /** Ends the run. `hangup` is left out when there is nobody to hang up on, or somebody to talk to. */
  end(why: FlowEnd, outcome: Outcome): null {
    const { place } = this.run
    this.change({ state: { name: 'ended', why, outcome }, keys: '' })
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
