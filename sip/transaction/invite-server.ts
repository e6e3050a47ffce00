import type { Millis } from '#base/clock.ts'
import {
  deliver,
  type Effect,
  type Effects,
  end,
  failAndEnd,
  linger,
  type Machine,
  nothing,
  type ServerInput,
  send,
  start,
  stop,
} from '#sip/transaction/machine.ts'
import type { Timer, Timings } from '#sip/transaction/timings.ts'

/**
 * The INVITE server transaction (RFC 3261 §17.2.1, figure 7, with RFC 6026 §7.1).
 *
 *     proceeding ──2xx──> accepted ──L──> ended
 *        └──3xx-6xx──> completed ──ACK──> confirmed ──I──> ended
 *                          └──H──> ended
 *
 * A failed transport is reported and changes no state: the client may retransmit over another path.
 */
type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'ended'

const transportFailed: Effect = { kind: 'fail', why: 'transport' }

export class InviteServer implements Machine<ServerInput> {
  readonly #timings: Timings
  #state: State = 'proceeding'
  #interval: Millis | null
  #answered = false

  constructor(timings: Timings) {
    this.#timings = timings
    this.#interval = timings.G
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  step(input: ServerInput): Effects {
    switch (this.#state) {
      case 'proceeding':
        return this.#proceeding(input)
      case 'completed':
        return this.#completed(input)
      case 'confirmed':
        return input.kind === 'timer' && input.timer === 'I' ? this.#end() : nothing
      case 'accepted':
        return this.#accepted(input)
      case 'ended':
        return nothing
    }
  }

  #proceeding(input: ServerInput): Effects {
    switch (input.kind) {
      case 'begin':
        return this.#timings.trying === 0 ? [this.#trying(), ...deliver] : [...start('trying', this.#timings.trying), ...deliver]
      case 'repeat':
        return this.#answered ? send : nothing
      case 'respond':
        return this.#respond(input.status)
      case 'timer':
        return input.timer === 'trying' && !this.#answered ? [this.#trying()] : nothing
      case 'transport-failed':
        return [transportFailed]
      case 'ack':
        return nothing
    }
  }

  #trying(): Effect {
    this.#answered = true
    return { kind: 'send-trying' }
  }

  #respond(status: number): Effects {
    const first = !this.#answered
    this.#answered = true
    if (status < 200) return first ? [stop('trying'), ...send] : send
    if (status < 300) {
      this.#state = 'accepted'
      return [stop('trying'), ...send, ...linger('L', this.#timings.L)]
    }
    this.#state = 'completed'
    return [stop('trying'), ...send, ...start('G', this.#interval), ...start('H', this.#timings.H)]
  }

  #completed(input: ServerInput): Effects {
    switch (input.kind) {
      case 'repeat':
        return send
      case 'ack':
        return this.#acknowledged()
      case 'timer':
        return this.#completedTimer(input.timer)
      case 'transport-failed':
        return [transportFailed]
      default:
        return nothing
    }
  }

  #acknowledged(): Effects {
    const last = linger('I', this.#timings.I)
    this.#state = last === end ? 'ended' : 'confirmed'
    return [stop('G'), stop('H'), ...last]
  }

  #completedTimer(timer: Timer): Effects {
    if (timer === 'H') {
      this.#state = 'ended'
      return failAndEnd('timeout')
    }
    if (timer !== 'G' || this.#interval === null) return nothing
    this.#interval = Math.min(this.#interval * 2, this.#timings.t2)
    return [...send, ...start('G', this.#interval)]
  }

  /** The transaction user repeats the 2xx; a repeated INVITE is absorbed, an ACK goes up. */
  #accepted(input: ServerInput): Effects {
    switch (input.kind) {
      case 'respond':
        return input.status >= 200 && input.status < 300 ? send : nothing
      case 'ack':
        return deliver
      case 'timer':
        return input.timer === 'L' ? this.#end() : nothing
      case 'transport-failed':
        return [transportFailed]
      default:
        return nothing
    }
  }

  #end(): Effects {
    this.#state = 'ended'
    return end
  }
}
