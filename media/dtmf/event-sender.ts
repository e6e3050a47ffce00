import type { Millis } from '#base/clock.ts'
import { eventOf, writeTelephoneEvent } from '#media/dtmf/telephone-event.ts'

/** How many end packets an event gets, against loss (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3

/** Default and least lengths of a digit and of the pause after it. 40 ms is the least that detectors must accept (ITU-T Q.24). */
export const TONE_MS: Millis = 120
export const GAP_MS: Millis = 80
const LEAST_TONE_MS = 40
const LEAST_GAP_MS = 60
const LONGEST_MS = 6000
const LONGEST_QUEUE = 128

/** What the 16 bits of a duration hold (RFC 4733 §2.3.5). */
const MOST_DURATION = 0xffff

/** A default level of -10 dBm0 (RFC 4733 §2.3.3 gives the range 0 to 63). */
const VOLUME = 10

interface Pending {
  event: number
  toneTicks: number
  gapTicks: number
}

/** What goes into the RTP header of one event packet; its payload is in `EventSender.payload`. */
export interface EventPacket {
  /** Set on the first packet of an event (RFC 4733 §2.2). */
  marker: boolean
  /** The event's own RTP timestamp: that of its beginning, in all its packets. */
  timestamp: number
}

/**
 * The packets of digits that we send, one `step` per packet time: an event begins, is updated with a growing duration, ends
 * three times, and a pause follows before the next. While `active` the audio of the stream is not sent (RFC 4733 §2.2.1 lets
 * the event replace it); the sequence numbers go on, one per packet, whatever it carries.
 */
export class EventSender {
  /** Payload of the packet that `step` returned last. Reused. */
  readonly payload = new Uint8Array(4)
  readonly #queue: Pending[] = []
  readonly #packet: EventPacket = { marker: false, timestamp: 0 }
  #startedAt = 0
  /** Of the RTP timestamps; and how many of those ticks make one of the events' own clock. */
  #ticksPerMs = 8
  #ticksPerUnit = 1
  #ends = 0
  #begun = false

  /** The clock of the stream's timestamps and that of its events; what waits already keeps its lengths. */
  clocks(streamHz: number, eventHz: number): void {
    this.#ticksPerMs = streamHz / 1000
    this.#ticksPerUnit = streamHz / eventHz
  }

  /**
   * Appends digits `0-9*#A-D`; characters that are none are skipped. Lengths are kept within 40 ms (pause: 60) and 6 s.
   * Returns how many digits were taken: no more than 128 wait at a time.
   */
  queue(digits: string, toneMs: Millis = TONE_MS, gapMs: Millis = GAP_MS): number {
    let taken = 0
    const longestTone = (MOST_DURATION * this.#ticksPerUnit) / this.#ticksPerMs
    for (const digit of digits) {
      const event = eventOf(digit)
      if (event === null || this.#queue.length >= LONGEST_QUEUE) continue
      this.#queue.push({
        event,
        toneTicks: Math.round(within(toneMs, LEAST_TONE_MS, Math.min(LONGEST_MS, longestTone)) * this.#ticksPerMs),
        gapTicks: Math.round(within(gapMs, LEAST_GAP_MS, LONGEST_MS) * this.#ticksPerMs),
      })
      taken++
    }
    return taken
  }

  /** True while digits or the pause after one are under way. */
  get active(): boolean {
    return this.#queue.length > 0
  }

  /** Drops what is not yet begun; the digit under way is ended properly. */
  clear(): void {
    this.#queue.length = this.#begun ? 1 : 0
  }

  /**
   * One packet time passes. `timestamp` is the RTP timestamp that audio would have now, `ticks` the packet time in RTP ticks.
   * Returns the packet to send (the object is reused), or null in a pause.
   */
  step(timestamp: number, ticks: number): EventPacket | null {
    const current = this.#queue[0]
    if (current === undefined) return null
    if (!this.#begun) return this.#begin(current, timestamp, ticks)
    const elapsed = ((timestamp - this.#startedAt) >>> 0) + ticks
    if (elapsed < current.toneTicks) return this.#emit(current, false, elapsed, false)
    if (this.#ends < END_PACKETS) {
      this.#ends++
      return this.#emit(current, false, current.toneTicks, true)
    }
    if (elapsed >= current.toneTicks + current.gapTicks) {
      this.#queue.shift()
      this.#begun = false
    }
    return null
  }

  #begin(current: Pending, timestamp: number, ticks: number): EventPacket {
    this.#begun = true
    this.#ends = 0
    this.#startedAt = timestamp >>> 0
    return this.#emit(current, true, Math.min(ticks, current.toneTicks), false)
  }

  #emit(current: Pending, marker: boolean, duration: number, end: boolean): EventPacket {
    writeTelephoneEvent({ event: current.event, end, volume: VOLUME, duration: Math.round(duration / this.#ticksPerUnit) }, this.payload)
    this.#packet.marker = marker
    this.#packet.timestamp = this.#startedAt
    return this.#packet
  }
}

function within(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least
}
