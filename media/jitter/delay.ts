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

/**
 * Lateness is measured from the earliest packet of the last one to two windows of so many: 5 to 10 s of speech. Thus a sender that stood still, a path
 * that has become longer and a clock that runs slow are followed, each within two windows.
 */
const WINDOW = 250

/** When the earliest comes so much later than in the window before, what was counted since was late against a path that is gone. */
const NEW_PATH_MS: Millis = 2 * STEP_MS

/** After nothing for so long, where the sender's time stands is learnt anew: it may have stood still meanwhile. No delay of ours would have bridged it. */
const PAUSED_MS: Millis = 1000

/** Learns from arrivals how long to hold packets back, so that all but a few in a hundred are there when their turn comes. */
export class DelayEstimate {
  readonly #counts = new Float64Array(STEPS)
  /** Of the window before and this one. */
  #earliest = Number.POSITIVE_INFINITY
  /** Of this window alone. */
  #least = Number.POSITIVE_INFINITY
  #seen = 0
  #total = 0
  #weight = 1
  #sinceLook = 0
  /** How long to hold back, 20 to 200 ms. */
  ms: Millis = LEAST_DELAY_MS
  /** The last packet's place in the stream, by its timestamp, which wraps around. */
  #timestamp = 0
  #mediaMs: Millis = 0
  #arrivedAt: Millis = Number.NEGATIVE_INFINITY

  /** A packet of that RTP timestamp arrived. */
  packet(arrivedAt: Millis, timestamp: number, ticksPerMs: number): void {
    if (arrivedAt - this.#arrivedAt > PAUSED_MS) this.restart()
    this.#arrivedAt = arrivedAt
    if (this.#earliest !== Number.POSITIVE_INFINITY) this.#mediaMs += ((timestamp - this.#timestamp) | 0) / ticksPerMs
    this.#timestamp = timestamp
    const transit = arrivedAt - this.#mediaMs
    this.#follow(transit)
    const step = Math.min(STEPS - 1, Math.max(0, Math.ceil((transit - this.#earliest - 1) / STEP_MS)))
    // The newer weigh more, instead of all the older less: one addition a packet.
    this.#weight /= FORGET
    this.#counts[step] = (this.#counts[step] as number) + this.#weight
    this.#total += this.#weight
    if (this.#weight > MOST_WEIGHT) this.#lighten()
    if (++this.#sinceLook >= LOOK_AFTER || this.#total < LOOK_AFTER * 2) this.#look()
  }

  #follow(transit: Millis): void {
    if (++this.#seen > WINDOW) this.#turn()
    this.#least = Math.min(this.#least, transit)
    this.#earliest = Math.min(this.#earliest, transit)
  }

  /** A window is full: what it saw is now the window before. */
  #turn(): void {
    const later = this.#least - this.#earliest
    if (later >= NEW_PATH_MS) this.#forgive(Math.round(later / STEP_MS))
    this.#earliest = this.#least
    this.#least = Number.POSITIVE_INFINITY
    this.#seen = 1
  }

  /** All that was counted was so many steps less late. What was more than the most is taken for the most: if it was later, the next packets will tell. */
  #forgive(steps: number): void {
    for (let i = 1; i < STEPS; i++) {
      const to = Math.max(0, i - steps)
      this.#counts[to] = (this.#counts[to] as number) + (this.#counts[i] as number)
      this.#counts[i] = 0
    }
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
    this.#least = Number.POSITIVE_INFINITY
    this.#seen = 0
  }
}
