import type { NewFact } from '#contract/facts.ts'
import type { Outcome, OutcomeKind } from '#contract/outcome.ts'
import type { Destination, RingStep } from '#contract/documents/target.ts'

/**
 * Names one play, timer or ring of a run; from 1, never used twice in a run. What comes back carries it, so that a late `played` or
 * `timer` of something already stopped is recognised and ignored.
 */
export type Token = number

/** Who calls, as known when the flow is entered. */
export interface FlowCaller {
  /** E.164 with plus, or an extension; null when withheld or unknown. */
  number: string | null
  name?: string
}

/** What happens to a run. `now` is wall time in milliseconds since the Unix epoch: the only clock a flow knows. */
export type FlowInput =
  /** Once, first. */
  | { kind: 'started'; now: number; caller: FlowCaller; dialled: string }
  /** A key press; also while ringing or playing. */
  | { kind: 'digit'; now: number; digit: string }
  /** A play ended by itself. `failed`: nothing could be heard (missing file, dead engine); the flow goes on as if it had. Not sent after `stopPlay`. */
  | { kind: 'played'; now: number; token: Token; failed?: boolean }
  | { kind: 'timer'; now: number; token: Token }
  /** The ring is over. `answered`: somebody took the call and the runner joins them; the flow ends with that. Not sent after `stopRing`. */
  | { kind: 'rung'; now: number; token: Token; outcome: OutcomeKind }
  /** The caller has gone. Everything that the run had started is stopped by effects. */
  | { kind: 'caller-hung-up'; now: number }

/** What the runner must do, in the order given. */
export type FlowEffect =
  /** Answer the caller, who is not yet. At most once, before the first play. */
  | { kind: 'answer' }
  /** Play these prompts to the caller, one after the other; then `played`. */
  | { kind: 'play'; token: Token; prompts: readonly string[] }
  | { kind: 'stopPlay'; token: Token }
  | { kind: 'startTimer'; token: Token; ms: number }
  | { kind: 'stopTimer'; token: Token }
  /** Ring the plan; then `rung`. `music`: prompts looped to the caller meanwhile, instead of the ringing tone (the caller has been answered). */
  | { kind: 'ring'; token: Token; plan: FlowRing; music?: readonly string[] }
  | { kind: 'stopRing'; token: Token }
  /** Switch recording on or off from here; `mailTo` is beside what policies say. */
  | { kind: 'record'; on: boolean; mailTo: readonly string[] }
  /** Into a conference; the run ends with that. The caller has been answered. */
  | { kind: 'conference'; conference: string }
  /** The end of the run and of the call. If the caller was never answered, the outcome becomes the refusal they get. */
  | { kind: 'hangup'; outcome: Outcome }
  /** For the journal, after what it tells of. */
  | { kind: 'fact'; fact: FlowFact }

/** What to ring: steps as in the document, extensions, groups and people not yet resolved to devices. */
export interface FlowRing {
  readonly steps: readonly RingStep[]
  /** Number shown to targets outside: that of the company, of the caller, or one of ours in E.164. */
  readonly callerId: string
}

/** The kinds of fact a flow tells. */
export type FlowFactKind = 'flow.entered' | 'flow.stepped' | 'flow.left' | 'hours.decided' | 'menu.missed' | 'alarm.raised'

/** A fact without what the runner knows: tenant and call. */
export type FlowFact = NewFact extends infer F ? (F extends { kind: FlowFactKind } ? Omit<F, 'tenant' | 'call'> : never) : never

/**
 * Everything a run knows, as plain data: it survives JSON, and with the same book and inputs it always goes the same way. Kept by the call, so
 * that a restarted server goes on in the middle of a menu.
 */
export interface FlowRun {
  /** The node the caller is at; null while something is rung outside any flow (a number or key that leads to a person or a group). */
  readonly place: { readonly flow: string; readonly node: string } | null
  /** Where the run begins. */
  readonly entry: Destination
  readonly caller: FlowCaller
  readonly dialled: string
  /** The last token given out. */
  readonly tokens: number
  /** Keys pressed and not yet used, oldest first; at most 32. */
  readonly keys: string
  /** Whether the caller has been answered. */
  readonly answered: boolean
  /** Whether recording is switched on by the flow itself. */
  readonly recording: boolean
  /** Moves made since the caller last pressed a key. Past `maxStepsWithoutCaller` the run ends: a loop. */
  readonly steps: number
  readonly state: RunState
}

/**
 *   new ──started──▶ (node) ──▶ playing ──played/digit──▶ (node)
 *                      │   ──▶ prompting ──played──▶ awaiting ──digit/timer──▶ (node) or prompting
 *                      │   ──▶ ringing ──rung──▶ (node) or ended
 *                      └───▶ parting ──played──▶ ended
 */
export type RunState =
  | { readonly name: 'new' }
  /** A play node speaks. */
  | ({ readonly name: 'playing' } & Speaking)
  /** A menu speaks. `attempt` from 0. */
  | ({ readonly name: 'prompting'; readonly attempt: number } & Speaking)
  /** A menu listens, for `ms`. `collected`: digits of an extension so far. */
  | { readonly name: 'awaiting'; readonly timer: Token; readonly ms: number; readonly attempt: number; readonly collected: string }
  /** Something rings. `exits`: whose exits count when nobody takes it. */
  | {
      readonly name: 'ringing'
      readonly ring: Token
      readonly plan: FlowRing
      readonly music?: readonly string[]
      readonly exits: RingExits
    }
  /** The last words before hanging up. */
  | ({ readonly name: 'parting'; readonly outcome: Outcome } & Speaking)
  | { readonly name: 'ended'; readonly why: FlowEnd; readonly outcome: Outcome }

/** What is being said, under which token. */
interface Speaking {
  readonly play: Token
  readonly prompts: readonly string[]
}

/**
 * Where an unanswered ring leads. `node`: a ring or external node's own exits. `menu`: the `noAnswer` exit of the menu from which the operator
 * or an extension was reached; without one, as `target`. `target`: what the ring group says, else the end of the call.
 */
export interface RingExits {
  readonly of: 'node' | 'menu' | 'target'
  readonly noAnswer?: Destination
  readonly allBusy?: Destination
}

/** How a run ended: `answered` (somebody took the call), `hung-up` by the flow, `caller-left`, or `broken` (a loop, a missing node). */
export type FlowEnd = 'answered' | 'hung-up' | 'caller-left' | 'broken'

/** One step of the interpreter. */
export interface Stepped {
  run: FlowRun
  effects: FlowEffect[]
}

/** More moves (to nodes, targets, rings) than this without a key press from the caller are a loop: the run ends `broken`, with an alarm. */
export const maxStepsWithoutCaller = 100
