/** Sums above this are turned down. A little below full scale, so that the encoder's ripple does not clip. */
const CEILING = 30_000

/** Share of the missing gain that comes back with each 20 ms block. */
const RELEASE = 0.1

/** Samples over which the gain falls to its new value: steep enough to catch a peak, no click. */
const ATTACK = 40

/** What G.711 makes of zero: not a sound. */
const HUSH = 8

/** Sums two voices into one; where both are loud the gain gives way for a moment instead of clipping. */
export class Mixer {
  #gain = 1

  /** Writes the mix into `out`. True when it holds nothing but silence. All arrays have one length. */
  mix(one: Int16Array, other: Int16Array, out: Int16Array): boolean {
    let peak = 0
    let quiet = true
    for (let i = 0; i < out.length; i++) {
      const a = one[i] as number
      const b = other[i] as number
      if (a > HUSH || a < -HUSH || b > HUSH || b < -HUSH) quiet = false
      peak = Math.max(peak, Math.abs(a + b))
    }
    if (quiet) {
      out.fill(0)
      this.#gain = 1
      return true
    }
    this.#sum(one, other, out, peak > CEILING ? CEILING / peak : 1)
    return false
  }

  #sum(one: Int16Array, other: Int16Array, out: Int16Array, wanted: number): void {
    const from = this.#gain
    const to = wanted < from ? wanted : from + (wanted - from) * RELEASE
    const ramp = wanted < from ? ATTACK : out.length
    for (let i = 0; i < out.length; i++) {
      const gain = i < ramp ? from + ((to - from) * i) / ramp : to
      const sample = Math.round(((one[i] as number) + (other[i] as number)) * gain)
      out[i] = sample > 32_767 ? 32_767 : sample < -32_768 ? -32_768 : sample
    }
    this.#gain = to
  }
}
