/** One event, many listeners, called in order of subscription. A listener that throws is reported and does not stop the others. */
export class Emitter<T> {
  #subscriptions: readonly Subscription<T>[] = nobody
  #onFault: (fault: unknown) => void

  constructor(onFault: (fault: unknown) => void = rethrowLater) {
    this.#onFault = onFault
  }

  /** Disposing the result unsubscribes; a listener removed while an event is being told is not called any more. */
  on(listener: (value: T) => void): Disposable {
    const subscription = new Subscription(this, listener)
    // `concat` makes room for one more, a spread for seventeen.
    this.#subscriptions = this.#subscriptions.concat(subscription)
    return subscription
  }

  /** Used by `Subscription`. */
  forget(subscription: Subscription<T>): void {
    this.#subscriptions = this.#subscriptions.length === 1 ? nobody : this.#subscriptions.filter((other) => other !== subscription)
  }

  /** Somebody listens. */
  get isHeard(): boolean {
    return this.#subscriptions.length > 0
  }

  emit(value: T): void {
    for (const { listener } of this.#subscriptions) {
      if (listener === null) continue
      try {
        listener(value)
      } catch (fault) {
        this.#onFault(fault)
      }
    }
  }
}

const nobody: readonly never[] = []

/** One listener, until it is disposed of. */
class Subscription<T> implements Disposable {
  readonly #emitter: Emitter<T>
  listener: ((value: T) => void) | null

  constructor(emitter: Emitter<T>, listener: (value: T) => void) {
    this.#emitter = emitter
    this.listener = listener
  }

  [Symbol.dispose](): void {
    if (this.listener === null) return
    this.listener = null
    this.#emitter.forget(this)
  }
}

/** A fault nobody handles must still be seen: it reaches the process's uncaught-exception report, after this event was told. */
function rethrowLater(fault: unknown): void {
  void Promise.reject(fault)
}
