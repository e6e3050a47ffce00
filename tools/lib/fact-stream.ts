import type { Snapshot, StreamMessage } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { ApiAt } from '#tools/lib/api-client.ts'

/** A company's facts as they happen, all of those since it was opened kept. Disposing leaves the stream. */
export class FactStream implements Disposable {
  readonly facts: Fact[] = []
  readonly snapshot: Snapshot
  readonly #socket: WebSocket
  #listeners = new Set<{ hear: (fact: Fact) => void; gone: () => void }>()

  private constructor(socket: WebSocket, snapshot: Snapshot) {
    this.#socket = socket
    this.snapshot = snapshot
    socket.addEventListener('message', (event) => this.#hear(messageOf(event)))
    socket.addEventListener('close', () => this.#gone())
  }

  /** Opens the stream; what happens from now on is in it. Rejects with what `away` gives. */
  static open(at: ApiAt): Promise<FactStream> {
    const company = at.company === null ? '' : `?company=${encodeURIComponent(at.company)}`
    const socket = new WebSocket(`${at.url.replace(/^http/, 'ws')}/v1/events${company}`, ['centrala.v1', `key.${at.key}`])
    const opened = Promise.withResolvers<FactStream>()
    socket.addEventListener('error', () => opened.reject(at.away()))
    socket.addEventListener('close', () => opened.reject(at.away()))
    const first = (event: MessageEvent): void => {
      const message = messageOf(event)
      if (message.kind !== 'snapshot') return
      socket.removeEventListener('message', first)
      opened.resolve(new FactStream(socket, message))
    }
    socket.addEventListener('message', first)
    return opened.promise
  }

  /** Hears each fact from now on, until disposed. */
  on(hear: (fact: Fact) => void): Disposable {
    const listener = { hear, gone: () => undefined }
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** The first fact, of those already heard and those to come, that is as wanted. Rejects when the stream ends before. */
  until<F extends Fact>(wanted: (fact: Fact) => fact is F): Promise<F>
  until(wanted: (fact: Fact) => boolean): Promise<Fact>
  until(wanted: (fact: Fact) => boolean): Promise<Fact> {
    const known = this.facts.find(wanted)
    if (known !== undefined) return Promise.resolve(known)
    const found = Promise.withResolvers<Fact>()
    const listener = {
      hear: (fact: Fact) => {
        if (!wanted(fact)) return
        this.#listeners.delete(listener)
        found.resolve(fact)
      },
      gone: () => found.reject(new Error('the event stream ended before what was waited for')),
    }
    this.#listeners.add(listener)
    return found.promise
  }

  [Symbol.dispose](): void {
    this.#listeners.clear()
    this.#socket.close()
  }

  #hear(message: StreamMessage): void {
    if (message.kind === 'resync') this.#socket.close()
    if (message.kind !== 'fact') return
    this.facts.push(message.fact)
    for (const { hear } of [...this.#listeners]) hear(message.fact)
  }

  #gone(): void {
    for (const { gone } of [...this.#listeners]) gone()
    this.#listeners.clear()
  }
}

/** The server's own words, under its schema. */
function messageOf(event: MessageEvent): StreamMessage {
  return JSON.parse(String(event.data)) as StreamMessage
}
