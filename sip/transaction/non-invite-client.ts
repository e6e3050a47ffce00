import type { Millis } from '#base/clock.ts'
import {
  type ClientInput,
  deliver,
  type Effects,
  end,
  failAndEnd,
  linger,
  type Machine,
  nothing,
  send,
  start,
  stop,
} from '#sip/transaction/machine.ts'
import type { Timer, Timings } from '#sip/transaction/timings.ts'

/**
 * The client transaction of every request but INVITE and ACK (RFC 3261 §17.1.2, figure 6).
 *
 *     trying ──1xx──> proceeding
 *        ├──2xx-6xx───────┴──2xx-6xx──> completed ──K──> ended
 *        └──F, transport failed──┴──> ended
 */
type State = 'trying' | 'proceeding' | 'completed' | 'ended'

export class NonInviteClient implements Machine<ClientInput> {
  readonly #timings: Timings
  #state: State = 'trying'
  #interval: Millis | null

  constructor(timings: Timings) {
    this.#timings = timings
    this.#interval = timings.E
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  step(input: ClientInput): Effects {
    switch (this.#state) {
      case 'trying':
      case 'proceeding':
        return this.#waiting(input)
      case 'completed':
        return input.kind === 'timer' && input.timer === 'K' ? this.#end() : nothing
      case 'ended':
        return nothing
    }
  }

  #waiting(input: ClientInput): Effects {
    switch (input.kind) {
      case 'begin':
        return [...send, ...start('E', this.#interval), ...start('F', this.#timings.F)]
      case 'response':
        return this.#response(input.status)
      case 'timer':
        return this.#timer(input.timer)
      case 'transport-failed':
        return this.#fail('transport')
    }
  }

  #response(status: number): Effects {
    if (status < 200) {
      this.#state = 'proceeding'
      return deliver
    }
    const last = linger('K', this.#timings.K)
    this.#state = last === end ? 'ended' : 'completed'
    return [stop('E'), stop('F'), ...deliver, ...last]
  }

  /** A provisional response slows the retransmissions to T2 and does not stop them. */
  #timer(timer: Timer): Effects {
    if (timer === 'F') return this.#fail('timeout')
    if (timer !== 'E' || this.#interval === null) return nothing
    this.#interval = this.#state === 'proceeding' ? this.#timings.t2 : Math.min(this.#interval * 2, this.#timings.t2)
    return [...send, ...start('E', this.#interval)]
  }

  #fail(why: 'timeout' | 'transport'): Effects {
    this.#state = 'ended'
    return failAndEnd(why)
  }

  #end(): Effects {
    this.#state = 'ended'
    return end
  }
}
