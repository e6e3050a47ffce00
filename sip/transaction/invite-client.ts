import type { Millis } from '#base/clock.ts'
import {
  acknowledge,
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
 * The INVITE client transaction (RFC 3261 §17.1.1, figure 5, with RFC 6026 §7.2).
 *
 *     calling ──1xx──> proceeding
 *        │ └──2xx──────────┴──2xx──> accepted ──M──> ended
 *        ├──3xx-6xx────────┴──3xx-6xx──> completed ──D──> ended
 *        └──B, transport failed──> ended
 */
type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'ended'

export class InviteClient implements Machine<ClientInput> {
  readonly #timings: Timings
  #state: State = 'calling'
  #interval: Millis | null

  constructor(timings: Timings) {
    this.#timings = timings
    this.#interval = timings.A
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  step(input: ClientInput): Effects {
    switch (this.#state) {
      case 'calling':
        return this.#calling(input)
      case 'proceeding':
        return input.kind === 'response' ? this.#response(input.status) : nothing
      case 'completed':
        return this.#completed(input)
      case 'accepted':
        return this.#accepted(input)
      case 'ended':
        return nothing
    }
  }

  #calling(input: ClientInput): Effects {
    switch (input.kind) {
      case 'begin':
        return [...send, ...start('A', this.#interval), ...start('B', this.#timings.B)]
      case 'response':
        return this.#response(input.status)
      case 'timer':
        return this.#callingTimer(input.timer)
      case 'transport-failed':
        return this.#fail('transport')
    }
  }

  #callingTimer(timer: Timer): Effects {
    if (timer === 'B') return this.#fail('timeout')
    if (timer !== 'A' || this.#interval === null) return nothing
    this.#interval *= 2
    return [...send, ...start('A', this.#interval)]
  }

  #response(status: number): Effects {
    if (status < 200) {
      if (this.#state === 'proceeding') return deliver
      this.#state = 'proceeding'
      return [stop('A'), stop('B'), ...deliver]
    }
    if (status < 300) {
      this.#state = 'accepted'
      return [stop('A'), stop('B'), ...deliver, ...linger('M', this.#timings.M)]
    }
    const last = linger('D', this.#timings.D)
    this.#state = last === end ? 'ended' : 'completed'
    return [stop('A'), stop('B'), ...acknowledge, ...deliver, ...last]
  }

  /** Repeated failures are acknowledged again and not handed up. */
  #completed(input: ClientInput): Effects {
    if (input.kind === 'response') return input.status >= 300 ? acknowledge : nothing
    if (input.kind === 'timer' && input.timer === 'D') return this.#end()
    return input.kind === 'transport-failed' ? this.#fail('transport') : nothing
  }

  /** Every 2xx goes up, since each fork makes a dialog of its own and a repeated one wants its ACK again. */
  #accepted(input: ClientInput): Effects {
    if (input.kind === 'response') return input.status >= 200 && input.status < 300 ? deliver : nothing
    return input.kind === 'timer' && input.timer === 'M' ? this.#end() : nothing
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
