import type { Millis } from '#base/clock.ts'

/** The buffer holds back at least and at most so long. */
export const LEAST_DELAY_MS: Millis = 20
export const MOST_DELAY_MS: Millis = 200

/** Lateness is counted in steps of this. */
const STEP_MS = 10
const STEPS = MOST_DELAY_MS / STEP_MS + 1

/** With each packet the older ones count so much less: half after 350 packets, or 7 s. */
const FORGET = 0.998

/** So many packets in a hundred may come too late. */
const TOO_LATE = 0.02

/** Weights are brought back to 1 from here. */
const MOST_WEIGHT = 1e6

/** The delay is thought over after so many packets. */
const LOOK_AFTER = 8

/** The earliest packet is what lateness is measured from; it moves by so much a packet towards later, to follow a sender whose clock runs slow (500 ppm at 20 ms). */
const DRIFT_MS = 0.01

/** Learns from arrivals how long to hold packets back, so that all but a few in a hundred are there when their turn comes. */
export class DelayEstimate {
  readonly #counts = new Float64Array(STEPS)
  #earliest = Number.POSITIVE_INFINITY
  #total = 0
  #weight = 1
  #sinceLook = 0
  /** How long to hold back, 20 to 200 ms. */
  ms: Millis = LEAST_DELAY_MS
  /** The last packet's place in the stream, by its timestamp, which wraps around. */
  #timestamp = 0
  #mediaMs: Millis = 0

  /** A packet of that RTP timestamp arrived. */
  packet(arrivedAt: Millis, timestamp: number, ticksPerMs: number): void {
    if (this.#earliest !== Number.POSITIVE_INFINITY) this.#mediaMs += ((timestamp - this.#timestamp) | 0) / ticksPerMs
    this.#timestamp = timestamp
    const transit = arrivedAt - this.#mediaMs
    this.#earliest = Math.min(transit, this.#earliest + DRIFT_MS)
    const step = Math.min(STEPS - 1, Math.max(0, Math.ceil((transit - this.#earliest - 1) / STEP_MS)))
    // The newer weigh more, instead of all the older less: one addition a packet.
    this.#weight /= FORGET
    this.#counts[step] = (this.#counts[step] as number) + this.#weight
    this.#total += this.#weight
    if (this.#weight > MOST_WEIGHT) this.#lighten()
    if (++this.#sinceLook >= LOOK_AFTER || this.#total < LOOK_AFTER * 2) this.#look()
  }

  #lighten(): void {
    for (let i = 0; i < STEPS; i++) this.#counts[i] = (this.#counts[i] as number) / this.#weight
    this.#total /= this.#weight
    this.#weight = 1
  }

  #look(): void {
    this.#sinceLook = 0
    let left = this.#total * TOO_LATE
    let step = STEPS - 1
    for (; step > 0; step--) {
      left -= this.#counts[step] as number
      if (left < 0) break
    }
    this.ms = Math.min(MOST_DELAY_MS, Math.max(LEAST_DELAY_MS, step * STEP_MS))
  }

  /** The sender's clock has a new origin; what is known of the network stays. */
  restart(): void {
    this.#earliest = Number.POSITIVE_INFINITY
  }
}
