import { unreachable } from '#base/unreachable.ts'
import type { Destination, RingTarget } from '#contract/documents/target.ts'
import { defaultRingSeconds } from '#contract/documents/target.ts'
import type { Outcome, OutcomeKind } from '#contract/outcome.ts'
import type { FlowBook } from '#flows/book.ts'
import { newRun, step } from '#flows/interpreter.ts'
import type { FlowCaller, FlowEffect, FlowEnd, FlowFact, FlowInput, FlowRing, FlowRun, Token } from '#flows/types.ts'

/** A caller as a script: what they do, and how those behave whom the flow rings. */
export interface CallScript {
  /** When they call: wall milliseconds since the Unix epoch. */
  at: number
  caller: FlowCaller
  dialled?: string
  /** Milliseconds from the beginning of the call. */
  actions?: readonly ({ afterMs: number; press: string } | { afterMs: number; hangUp: true })[]
  /** By what is rung: `extension 100`, `person anna`, `device desk`, `ringGroup sales`, `external +79990000001`. Others ring until their step ends. */
  callees?: Readonly<Record<string, Callee>>
  /** The simulation gives up after so long; default 4 hours. */
  maxMs?: number
}

/** How somebody who is rung behaves: from the instant their phone begins to ring. */
export type Callee = { answers: number } | { fails: 'busy' | 'rejected' | 'unreachable'; afterMs?: number }

/** One line of what happened. `ms`: from the beginning of the call. */
export type TranscriptLine = { ms: number } & (
  | { is: 'answered' }
  /** `spokenMs`: how much of it the caller heard. */
  | { is: 'said'; prompts: readonly string[]; spokenMs: number; whole: boolean }
  | { is: 'pressed'; digit: string }
  | { is: 'ringing'; targets: readonly string[]; ringMs: number }
  | { is: 'rung'; outcome: OutcomeKind; by?: string }
  | { is: 'conference'; conference: string }
  | { is: 'recording'; on: boolean }
  | { is: 'fact'; fact: FlowFact }
  | { is: 'hung-up'; by: 'caller' | 'us'; outcome: Outcome }
)

export interface Transcript {
  lines: TranscriptLine[]
  /** Null: the call was still going on when the simulation gave up. */
  end: { why: FlowEnd; outcome: Outcome; ms: number } | null
  run: FlowRun
}

/** How long a prompt of unknown length is taken to be. */
const unknownPromptMs = 4000

/** Walks a scripted caller through whatever `entry` leads to, in virtual time: a day takes no longer than a second. */
export function simulate(book: FlowBook, entry: Destination, script: CallScript): Transcript {
  return new Simulation(book, entry, script).go()
}

interface Due {
  ms: number
  order: number
  happen: () => void
}

class Simulation {
  readonly #book: FlowBook
  readonly #script: CallScript
  readonly #lines: TranscriptLine[] = []
  #run: FlowRun
  #ms = 0
  #order = 0
  #due: Due[] = []
  #cancelled = new Set<Token>()
  #speaking: { token: Token; prompts: readonly string[]; from: number } | null = null

  constructor(book: FlowBook, entry: Destination, script: CallScript) {
    this.#book = book
    this.#script = script
    this.#run = newRun(entry)
  }

  go(): Transcript {
    const { at, caller, dialled = '', actions = [], maxMs = 4 * 3_600_000 } = this.#script
    this.#input({ kind: 'started', now: at, caller, dialled })
    for (const action of actions) {
      this.#after(action.afterMs, () => ('press' in action ? this.#press(action.press) : this.#hangUp()))
    }
    while (this.#run.state.name !== 'ended') {
      const next = this.#takeNext()
      if (next === undefined || next.ms > maxMs) break
      this.#ms = next.ms
      next.happen()
    }
    const { state } = this.#run
    const end = state.name === 'ended' ? { why: state.why, outcome: state.outcome, ms: this.#ms } : null
    return { lines: this.#lines, end, run: this.#run }
  }

  #takeNext(): Due | undefined {
    let best: Due | undefined
    for (const due of this.#due) {
      if (best === undefined || due.ms < best.ms || (due.ms === best.ms && due.order < best.order)) best = due
    }
    this.#due = this.#due.filter((due) => due !== best)
    return best
  }

  #after(ms: number, happen: () => void): void {
    this.#due.push({ ms: this.#ms + ms, order: this.#order++, happen })
  }

  /** Comes about unless its token was stopped before. */
  #unlessStopped(token: Token, ms: number, happen: () => void): void {
    this.#after(ms, () => {
      if (!this.#cancelled.has(token)) happen()
    })
  }

  get #now(): number {
    return this.#script.at + this.#ms
  }

  #write(line: DistributiveOmit<TranscriptLine, 'ms'>): void {
    this.#lines.push({ ms: this.#ms, ...line } as TranscriptLine)
  }

  #input(input: FlowInput): void {
    const { run, effects } = step(this.#book, this.#run, input)
    this.#run = run
    for (const effect of effects) this.#carryOut(effect)
  }

  #press(digit: string): void {
    this.#write({ is: 'pressed', digit })
    this.#input({ kind: 'digit', now: this.#now, digit })
  }

  #hangUp(): void {
    this.#input({ kind: 'caller-hung-up', now: this.#now })
    const { state } = this.#run
    if (state.name === 'ended') this.#write({ is: 'hung-up', by: 'caller', outcome: state.outcome })
  }

  #carryOut(effect: FlowEffect): void {
    switch (effect.kind) {
      case 'answer':
        return this.#write({ is: 'answered' })
      case 'play':
        return this.#play(effect.token, effect.prompts)
      case 'stopPlay':
        return this.#spoken(effect.token, false)
      case 'startTimer':
        return this.#unlessStopped(effect.token, effect.ms, () => this.#input({ kind: 'timer', now: this.#now, token: effect.token }))
      case 'stopTimer':
      case 'stopRing':
        return void this.#cancelled.add(effect.token)
      case 'ring':
        return this.#ring(effect.token, effect.plan, 0, [])
      case 'conference':
        return this.#write({ is: 'conference', conference: effect.conference })
      case 'record':
        return this.#write({ is: 'recording', on: effect.on })
      case 'hangup':
        return this.#write({ is: 'hung-up', by: 'us', outcome: effect.outcome })
      case 'fact':
        return this.#write({ is: 'fact', fact: effect.fact })
      default:
        return unreachable(effect)
    }
  }

  #play(token: Token, prompts: readonly string[]): void {
    const ms = prompts.reduce((sum, prompt) => sum + (this.#book.promptMs.get(prompt) ?? unknownPromptMs), 0)
    this.#speaking = { token, prompts, from: this.#ms }
    this.#unlessStopped(token, ms, () => {
      this.#spoken(token, true)
      this.#input({ kind: 'played', now: this.#now, token })
    })
  }

  #spoken(token: Token, whole: boolean): void {
    this.#cancelled.add(token)
    if (this.#speaking?.token !== token) return
    const { prompts, from } = this.#speaking
    this.#lines.push({ ms: from, is: 'said', prompts, spokenMs: this.#ms - from, whole })
    this.#speaking = null
  }

  /** One step of the plan after the other; a step ends early when all its targets have failed. */
  #ring(token: Token, plan: FlowRing, index: number, failures: readonly OutcomeKind[]): void {
    const ringStep = plan.steps[index]
    if (ringStep === undefined) return this.#rung(token, worstCase(failures))
    const names = ringStep.targets.map(nameOf)
    const ringMs = (ringStep.seconds ?? defaultRingSeconds) * 1000
    this.#write({ is: 'ringing', targets: names, ringMs })
    const first = firstAnswer(names, this.#script.callees ?? {}, ringMs)
    if (first !== undefined) return this.#unlessStopped(token, first.ms, () => this.#rung(token, 'answered', first.name))
    const { ms, failed } = failuresOf(names, this.#script.callees ?? {}, ringMs)
    this.#unlessStopped(token, ms, () => this.#ring(token, plan, index + 1, [...failures, ...failed]))
  }

  #rung(token: Token, outcome: OutcomeKind, by?: string): void {
    this.#write(by === undefined ? { is: 'rung', outcome } : { is: 'rung', outcome, by })
    this.#input({ kind: 'rung', now: this.#now, token, outcome })
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

function nameOf(target: RingTarget): string {
  if ('extension' in target) return `extension ${target.extension}`
  if ('person' in target) return `person ${target.person}`
  if ('device' in target) return `device ${target.device}`
  return 'ringGroup' in target ? `ringGroup ${target.ringGroup}` : `external ${target.external}`
}

type Callees = NonNullable<CallScript['callees']>

function firstAnswer(names: readonly string[], callees: Callees, ringMs: number): { name: string; ms: number } | undefined {
  return names
    .flatMap((name) => {
      const callee = callees[name]
      return callee !== undefined && 'answers' in callee && callee.answers < ringMs ? [{ name, ms: callee.answers }] : []
    })
    .sort((a, b) => a.ms - b.ms)[0]
}

function failuresOf(names: readonly string[], callees: Callees, ringMs: number): { ms: number; failed: OutcomeKind[] } {
  const ends = names.map((name): { ms: number; kind: OutcomeKind } => {
    const callee = callees[name]
    const fails = callee !== undefined && 'fails' in callee && (callee.afterMs ?? 0) < ringMs
    return fails ? { ms: callee.afterMs ?? 0, kind: callee.fails } : { ms: ringMs, kind: 'no-answer' }
  })
  return { ms: Math.max(0, ...ends.map((end) => end.ms)), failed: ends.map((end) => end.kind) }
}

/** The failure that says most about the callees: somebody did not answer, was busy, declined, was not there. */
function worstCase(failures: readonly OutcomeKind[]): OutcomeKind {
  const order: readonly OutcomeKind[] = ['no-answer', 'busy', 'rejected', 'unreachable']
  return order.find((kind) => failures.includes(kind)) ?? 'unreachable'
}
