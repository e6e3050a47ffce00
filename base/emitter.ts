/** One event, many listeners, called in order of subscription. A listener that throws is reported and does not stop the others. */
export class Emitter<T> {
  #listeners: ((value: T) => void)[] = []
  #onFault: (fault: unknown) => void

  constructor(onFault: (fault: unknown) => void = rethrowLater) {
    this.#onFault = onFault
  }

  /** Disposing the result unsubscribes; a listener removed while an event is being told is not called any more. */
  on(listener: (value: T) => void): Disposable {
    this.#listeners = [...this.#listeners, listener]
    return { [Symbol.dispose]: () => void (this.#listeners = this.#listeners.filter((l) => l !== listener)) }
  }

  /** Somebody listens. */
  get isHeard(): boolean {
    return this.#listeners.length > 0
  }

  emit(value: T): void {
    for (const listener of this.#listeners) {
      if (!this.#listeners.includes(listener)) continue
      try {
        listener(value)
      } catch (fault) {
        this.#onFault(fault)
      }
    }
  }
}

/** A fault nobody handles must still be seen: it reaches the process's uncaught-exception report, after this event was told. */
function rethrowLater(fault: unknown): void {
  void Promise.reject(fault)
}
