import type { Snapshot } from '#contract/api/calls.ts'
import type { Fact, FactKind } from '#contract/facts.ts'
import type { Api } from '#test/support/api.ts'

type FactOf<K extends FactKind> = Extract<Fact, { kind: K }>

/** How long a fact may take to come; only a broken system needs it. */
const patienceMs = 60_000

/** The event stream of one company, from now on: its snapshot, and every fact in order. */
export class FactLog implements Disposable {
  readonly snapshot: Snapshot
  readonly facts: Fact[] = []
  readonly #socket: WebSocket
  #waiting: { matches: (fact: Fact) => boolean; from: number; resolve: (fact: Fact) => void }[] = []

  private constructor(socket: WebSocket, snapshot: Snapshot) {
    this.#socket = socket
    this.snapshot = snapshot
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { kind: string; fact?: Fact }
      if (message.fact !== undefined) this.#hear(message.fact)
    })
  }

  static open(api: Api): Promise<FactLog> {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/v1/events`, ['centrala.v1', `key.${api.key}`])
    return new Promise((resolve, reject) => {
      socket.addEventListener('error', () => reject(new Error('the event stream refused us')))
      socket.addEventListener('message', ({ data }) => resolve(new FactLog(socket, JSON.parse(String(data)) as Snapshot)), { once: true })
    })
  }

  /** A mark for `next`: what has been heard so far. */
  get mark(): number {
    return this.facts.length
  }

  /** The first fact of this kind, after `from` facts, that matches; waits for it. */
  next<K extends FactKind>(kind: K, matches: (fact: FactOf<K>) => boolean = () => true, from = 0): Promise<FactOf<K>> {
    const fits = (fact: Fact): fact is FactOf<K> => fact.kind === kind && matches(fact as FactOf<K>)
    const found = this.facts.slice(from).find(fits)
    if (found !== undefined) return Promise.resolve(found)
    const { promise, resolve, reject } = Promise.withResolvers<FactOf<K>>()
    const timer = setTimeout(() => reject(new Error(`no fact ${kind} came; heard:\n${this.#told(from)}`)), patienceMs)
    this.#waiting.push({
      matches: fits,
      from,
      resolve: (fact) => {
        clearTimeout(timer)
        resolve(fact as FactOf<K>)
      },
    })
    return promise
  }

  of<K extends FactKind>(kind: K): FactOf<K>[] {
    return this.facts.filter((fact): fact is FactOf<K> => fact.kind === kind)
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #told(from: number): string {
    return this.facts
      .slice(from)
      .map((fact) => JSON.stringify(fact))
      .join('\n')
  }

  #hear(fact: Fact): void {
    this.facts.push(fact)
    const heard = this.#waiting.filter((each) => this.facts.length > each.from && each.matches(fact))
    this.#waiting = this.#waiting.filter((each) => !heard.includes(each))
    for (const each of heard) each.resolve(fact)
  }
}
