import type { Log } from '#base/log.ts'
import type { Fact } from '#contract/facts.ts'

/** Tells listeners of facts, in order: what a listener appends is told after the fact it is being told of. */
export class Publisher {
  #log: Log
  #listeners: ((fact: Fact) => void)[] = []
  #queue: Fact[] = []
  #telling = false

  constructor(log: Log) {
    this.#log = log
  }

  subscribe(listener: (fact: Fact) => void): Disposable {
    this.#listeners = [...this.#listeners, listener]
    return { [Symbol.dispose]: () => void (this.#listeners = this.#listeners.filter((l) => l !== listener)) }
  }

  tell(fact: Fact): void {
    if (this.#telling) {
      this.#queue.push(fact)
      return
    }
    this.#telling = true
    this.#tellAll(fact)
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#tellAll(next)
    this.#telling = false
  }

  #tellAll(fact: Fact): void {
    for (const listener of this.#listeners) {
      try {
        listener(fact)
      } catch (error) {
        this.#log.error('a listener of facts failed', { kind: fact.kind, call: fact.call, error: String(error) })
      }
    }
  }
}
