import type { EndpointId } from '#media/engine.ts'
import type { EndpointEvent, NumberedEvent } from '#media/engine/protocol.ts'

/** Events kept for a server that is away or has not processed them yet. */
const MOST_EVENTS = 20_000

/** Numbers an engine's events and keeps them until a server has processed them. Full: the oldest are dropped and counted. */
export class Outbox {
  readonly #events: NumberedEvent[] = []
  #next = 1
  dropped = 0

  add(id: EndpointId, event: EndpointEvent): NumberedEvent {
    const numbered: NumberedEvent = { kind: 'event', number: this.#next++, id, event }
    this.#events.push(numbered)
    if (this.#events.length > MOST_EVENTS) {
      this.#events.shift()
      this.dropped++
    }
    return numbered
  }

  /** Everything up to this number is processed. */
  seen(number: number): void {
    let count = 0
    while (count < this.#events.length && (this.#events[count]?.number ?? 0) <= number) count++
    this.#events.splice(0, count)
  }

  /** Events not yet processed, in order. */
  get waiting(): readonly NumberedEvent[] {
    return this.#events
  }
}
