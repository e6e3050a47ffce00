/**
 * What `end` undoes, once. A class: a method that a literal defines by a symbol is put there the slow way each time, by some microseconds.
 */
export class Disposal implements Disposable {
  #end: (() => void) | null

  constructor(end: () => void) {
    this.#end = end
  }

  [Symbol.dispose](): void {
    const end = this.#end
    this.#end = null
    end?.()
  }
}

/** Several things that end together, the last first: a `DisposableStack` whose parts do not throw, at a fraction of its cost. */
export class Disposals implements Disposable {
  #parts: Disposable[] = []

  use<T extends Disposable>(part: T): T {
    this.#parts.push(part)
    return part
  }

  [Symbol.dispose](): void {
    for (let part = this.#parts.pop(); part !== undefined; part = this.#parts.pop()) part[Symbol.dispose]()
  }
}
