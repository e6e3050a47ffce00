import type { Millis } from '#base/clock.ts'

const SAMPLES_PER_MS = 8

/** A frame so much behind its place is too late to be written. The timeline waits as long before it mixes. */
export const LATEST_MS: Millis = 200

/** A frame cannot arrive before it was spoken: so much ahead of its place, the source has begun new timestamps. */
const EARLIEST = -100 * SAMPLES_PER_MS

/** Frames that stay late for so long are not a delayed burst, but a source that paused its timestamps. */
const STUCK_MS: Millis = 60

/** A step of the timestamps by more than this beside the arrival's is another source. */
const JUMP = 1000 * SAMPLES_PER_MS

/** The least delay is looked at over so many frames; a drift beyond the tolerance is followed. */
const DRIFT_FRAMES = 250
const DRIFT = 10 * SAMPLES_PER_MS

/**
 * Finds the place of one speaker's frames on the timeline. RTP timestamps place them exactly to each other; arrivals tie the
 * timestamps to the timeline: the first one at first, then the least delay seen in some seconds, so that the network's jitter
 * is not heard and a sender's clock that runs fast or slow is followed.
 */
export class Track {
  #anchored = false
  /** Place of timestamp `#timestamp`, in samples. */
  #place = 0
  #timestamp = 0
  #lastAt = 0
  #lateSince: Millis | null = null
  #least = Number.POSITIVE_INFINITY
  #seen = 0

  /** The frame's place in samples since the timeline's zero, or null when it comes too late. */
  place(at: Millis, timestamp: number): number | null {
    const arrival = Math.round(at * SAMPLES_PER_MS)
    if (!this.#anchored || this.#isJump(at, timestamp)) return this.#anchor(at, timestamp, arrival)
    this.#place += (timestamp - this.#timestamp) | 0
    this.#timestamp = timestamp
    this.#lastAt = at
    const late = arrival - this.#place
    if (late < EARLIEST) return this.#anchor(at, timestamp, arrival)
    if (late > LATEST_MS * SAMPLES_PER_MS) return this.#tooLate(at, timestamp, arrival)
    this.#lateSince = null
    this.#follow(late)
    return this.#place
  }

  #isJump(at: Millis, timestamp: number): boolean {
    const step = (timestamp - this.#timestamp) | 0
    const passed = (at - this.#lastAt) * SAMPLES_PER_MS
    return Math.abs(step) > JUMP && Math.abs(step - passed) > JUMP
  }

  #anchor(at: Millis, timestamp: number, arrival: number): number {
    this.#anchored = true
    this.#place = arrival
    this.#timestamp = timestamp
    this.#lastAt = at
    this.#lateSince = null
    this.#least = Number.POSITIVE_INFINITY
    this.#seen = 0
    return arrival
  }

  #tooLate(at: Millis, timestamp: number, arrival: number): number | null {
    this.#lateSince ??= at
    return at - this.#lateSince < STUCK_MS ? null : this.#anchor(at, timestamp, arrival)
  }

  #follow(late: number): void {
    this.#least = Math.min(this.#least, late)
    if (++this.#seen < DRIFT_FRAMES) return
    if (Math.abs(this.#least) > DRIFT) this.#place += this.#least
    this.#least = Number.POSITIVE_INFINITY
    this.#seen = 0
  }
}
