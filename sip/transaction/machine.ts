import type { Millis } from '#base/clock.ts'
import type { Timer } from '#sip/transaction/timings.ts'

/**
 * What the four transaction machines have in common: one input in, the effects to carry out; no I/O, no clock, no callback.
 * A timer that fires after its state has gone is ignored by construction, since every input names its timer.
 */
export interface Machine<Input> {
  step(input: Input): Effects
  readonly ended: boolean
}

/** Into a client machine. `begin` comes first, once. */
export type ClientInput =
  | { kind: 'begin' }
  | { kind: 'response'; status: number }
  | { kind: 'timer'; timer: Timer }
  | { kind: 'transport-failed' }

/** Into a server machine. `begin` is the request's arrival, `repeat` its retransmission; `respond` comes from the transaction user. */
export type ServerInput =
  | { kind: 'begin' }
  | { kind: 'repeat' }
  | { kind: 'ack' }
  | { kind: 'respond'; status: number }
  | { kind: 'timer'; timer: Timer }
  | { kind: 'transport-failed' }

export type Effect =
  /** Client: the request; server: the last response. */
  | { kind: 'send' }
  /** Client: an ACK for the failure response just received. */
  | { kind: 'ack' }
  /** Server: a 100 of the transaction's own. */
  | { kind: 'send-trying' }
  /** Hand the response, or the request, up. */
  | { kind: 'deliver' }
  | { kind: 'start'; timer: Timer; delay: Millis }
  | { kind: 'stop'; timer: Timer }
  /** Tell the transaction user that no final response, or no ACK, came. */
  | { kind: 'fail'; why: 'timeout' | 'transport' }
  /** Stop every timer and forget the transaction. Always last. */
  | { kind: 'end' }
export type Effects = readonly Effect[]

// What most inputs cause, made once.
export const nothing: Effects = []
export const send: Effects = [{ kind: 'send' }]
export const deliver: Effects = [{ kind: 'deliver' }]
export const acknowledge: Effects = [{ kind: 'ack' }]
export const end: Effects = [{ kind: 'end' }]

/** Starts a timer, or nothing where the transport needs none. */
export function start(timer: Timer, delay: Millis | null): Effects {
  return delay === null ? nothing : [{ kind: 'start', timer, delay }]
}

/** Waits for what may still be repeated, then ends; ends at once where nothing can be. */
export function linger(timer: Timer, delay: Millis): Effects {
  return delay === 0 ? end : [{ kind: 'start', timer, delay }]
}

/** Sends, and lingers: the effects of the last time, if they are the same. */
export function sendAndLinger(timer: Timer, delay: Millis): Effects {
  if (timer !== latest.timer || delay !== latest.delay) latest = { timer, delay, effects: [...send, ...linger(timer, delay)] }
  return latest.effects
}
let latest: { timer: Timer; delay: Millis; effects: Effects } = { timer: 'J', delay: 0, effects: [...send, ...end] }

export function stop(timer: Timer): Effect {
  return { kind: 'stop', timer }
}

export function failAndEnd(why: 'timeout' | 'transport'): Effects {
  return [{ kind: 'fail', why }, ...end]
}
