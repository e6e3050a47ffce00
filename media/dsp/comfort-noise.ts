/** Most reflection coefficients that are followed; RFC 3389 §3.3 leaves the order to the sender, 10 is usual. */
const MOST_ORDER = 12

/**
 * Comfort noise as RFC 3389 describes it: a level in -dBov and the reflection coefficients of an all-pole filter, which shapes white noise into
 * what the far room sounds like.
 */
export class ComfortNoise {
  readonly #reflection = new Float64Array(MOST_ORDER)
  readonly #backward = new Float64Array(MOST_ORDER + 1)
  #order = 0
  #gain = 0
  #seed = 1

  /** Takes a payload (§3): from here on it sounds like that. An empty one changes nothing. */
  describe(payload: Uint8Array): void {
    const level = payload[0]
    if (level === undefined) return
    this.#order = Math.min(MOST_ORDER, payload.length - 1)
    let power = 1
    for (let i = 0; i < this.#order; i++) {
      // §3.2: 127 stands for zero.
      const k = Math.max(-0.98, Math.min(0.98, ((payload[i + 1] as number) - 127) / 128))
      this.#reflection[i] = k
      power *= 1 - k * k
    }
    this.#backward.fill(0)
    // §3.1: dBov of a square wave at full scale; white noise of uniform values has a third of their square as its power.
    this.#gain = 32_768 * 10 ** (-(level & 0x7f) / 20) * Math.sqrt(3 * power)
  }

  fill(pcm: Int16Array): void {
    for (let n = 0; n < pcm.length; n++) pcm[n] = Math.max(-32_768, Math.min(32_767, Math.round(this.#next())))
  }

  /** One sample through the lattice filter. */
  #next(): number {
    const backward = this.#backward
    let forward = this.#white() * this.#gain
    for (let i = this.#order - 1; i >= 0; i--) {
      const k = this.#reflection[i] as number
      forward -= k * (backward[i] as number)
      backward[i + 1] = (backward[i] as number) + k * forward
    }
    backward[0] = forward
    return forward
  }

  /** Uniform in -1 to 1. Noise need not be unpredictable: a linear congruence is enough, and cheap. */
  #white(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0
    return this.#seed / 2 ** 31
  }
}
