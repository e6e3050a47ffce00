import type { EndpointEvents } from '#media/engine.ts'

const nobody: readonly EndpointEvents[] = []

type Args<K extends keyof EndpointEvents> = Parameters<NonNullable<EndpointEvents[K]>>

/** One set of events for the engine, which everybody attached hears. One object a leg, not a closure for each event. */
export class EndpointListeners implements Required<EndpointEvents> {
  #all: readonly EndpointEvents[] = nobody

  /** From the next event on. */
  attach(events: EndpointEvents): void {
    // `concat` makes room for one more, a spread for seventeen.
    this.#all = this.#all.length === 0 ? [events] : this.#all.concat(events)
  }

  /** From the next event on. Idempotent. */
  detach(events: EndpointEvents): void {
    this.#all = this.#all.filter((each) => each !== events)
  }

  onDigit(...[digit, ms]: Args<'onDigit'>): void {
    for (const each of this.#all) each.onDigit?.(digit, ms)
  }
  onPlayed(...[play, why, ms, cause]: Args<'onPlayed'>): void {
    for (const each of this.#all) each.onPlayed?.(play, why, ms, cause)
  }
  onAudio(...[from]: Args<'onAudio'>): void {
    for (const each of this.#all) each.onAudio?.(from)
  }
  onSilent(...[ms]: Args<'onSilent'>): void {
    for (const each of this.#all) each.onSilent?.(ms)
  }
  onRecorded(...[recording]: Args<'onRecorded'>): void {
    for (const each of this.#all) each.onRecorded?.(recording)
  }
  onRecordFailed(...[file, cause]: Args<'onRecordFailed'>): void {
    for (const each of this.#all) each.onRecordFailed?.(file, cause)
  }
  onRevived(): void {
    for (const each of this.#all) each.onRevived?.()
  }
  onFailed(...[cause]: Args<'onFailed'>): void {
    for (const each of this.#all) each.onFailed?.(cause)
  }
  onStats(...[stats]: Args<'onStats'>): void {
    for (const each of this.#all) each.onStats?.(stats)
  }
  onQuality(...[quality]: Args<'onQuality'>): void {
    for (const each of this.#all) each.onQuality?.(quality)
  }
}
