import {
  deliver,
  type Effects,
  end,
  failAndEnd,
  type Machine,
  nothing,
  type ServerInput,
  send,
  sendAndLinger,
} from '#sip/transaction/machine.ts'
import type { Timings } from '#sip/transaction/timings.ts'

/**
 * The server transaction of every request but INVITE and ACK (RFC 3261 §17.2.2, figure 8).
 *
 *     trying ──1xx──> proceeding
 *        └──2xx-6xx──────┴──2xx-6xx──> completed ──J──> ended
 *     any of the three ──transport failed──> ended
 */
type State = 'trying' | 'proceeding' | 'completed' | 'ended'

export class NonInviteServer implements Machine<ServerInput> {
  readonly #timings: Timings
  #state: State = 'trying'

  constructor(timings: Timings) {
    this.#timings = timings
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  step(input: ServerInput): Effects {
    if (this.#state === 'ended') return nothing
    switch (input.kind) {
      case 'begin':
        return deliver
      case 'repeat':
        return this.#state === 'trying' ? nothing : send
      case 'respond':
        return this.#respond(input.status)
      case 'timer':
        return input.timer === 'J' && this.#state === 'completed' ? this.#end() : nothing
      case 'transport-failed':
        this.#state = 'ended'
        return failAndEnd('transport')
      case 'ack':
        return nothing
    }
  }

  #respond(status: number): Effects {
    if (this.#state === 'completed') return nothing
    if (status < 200) {
      this.#state = 'proceeding'
      return send
    }
    this.#state = this.#timings.J === 0 ? 'ended' : 'completed'
    return sendAndLinger('J', this.#timings.J)
  }

  #end(): Effects {
    this.#state = 'ended'
    return end
  }
}
