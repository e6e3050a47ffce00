/** One event, many listeners, called in order of subscription. A listener that throws is reported and does not stop the others. */
export class Emitter<T> {
  /** One stands here by itself: most have no more, and an array takes two objects. */
  #subscriptions: Subscription<T> | readonly Subscription<T>[] = nobody
  #onFault: (fault: unknown) => void

  constructor(onFault: (fault: unknown) => void = rethrowLater) {
    this.#onFault = onFault
  }

  /** Disposing the result unsubscribes; a listener removed while an event is being told is not called any more. */
  on(listener: (value: T) => void): Disposable {
    const subscription = new Subscription(this, listener)
    const before = this.#subscriptions
    if (before instanceof Subscription) this.#subscriptions = [before, subscription]
    // `concat` makes room for one more, a spread for seventeen.
    else this.#subscriptions = before.length === 0 ? subscription : before.concat(subscription)
    return subscription
  }

  /** Used by `Subscription`. */
  forget(subscription: Subscription<T>): void {
    const before = this.#subscriptions
    if (before === subscription) this.#subscriptions = nobody
    else if (!(before instanceof Subscription)) this.#subscriptions = before.filter((other) => other !== subscription)
  }

  /** Somebody listens. */
  get isHeard(): boolean {
    return this.#subscriptions instanceof Subscription || this.#subscriptions.length > 0
  }

  emit(value: T): void {
    const told = this.#subscriptions
    if (told instanceof Subscription) this.#tell(told, value)
    else for (const each of told) this.#tell(each, value)
  }

  #tell({ listener }: Subscription<T>, value: T): void {
    if (listener === null) return
    try {
      listener(value)
    } catch (fault) {
      this.#onFault(fault)
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
