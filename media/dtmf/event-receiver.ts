import type { Millis } from '#base/clock.ts'
import { digitOf, parseTelephoneEvent } from '#media/dtmf/telephone-event.ts'

/** One key press, told once. */
export interface Press {
  /** `0-9*#A-D`. */
  digit: string
  /** How long the key was held, as far as known when told. */
  ms: Millis
}

/** After so long without a packet of a begun event its end was lost, and the press is told. */
export const LOST_END_MS: Millis = 200

/** A key held so long is told before it is released. */
export const HELD_MS: Millis = 3000

const LONGEST_SEGMENT = 0xffff

/** A press under way, or the last one while its repeated end packets still arrive. */
interface Tracked {
  event: number
  /** RTP timestamp of the present segment. */
  timestamp: number
  /** Ticks of earlier segments (RFC 4733 §2.5.1.3). */
  before: number
  /** Ticks of the present segment. */
  duration: number
  ended: boolean
  told: boolean
  lastAt: Millis
}

/**
 * Turns the packets of one telephone-event stream into presses: each told once, at its end, whatever was lost, repeated or
 * reordered on the way. An event is known by its RTP timestamp, which all its packets share (RFC 4733 §2.2.1); longer than
 * 8.19 s it goes on in a next segment with the next timestamp (§2.5.1.3).
 *
 *     idle --first packet--> pressed --E bit | next event | silence | held long--> told --packet with a newer timestamp--> pressed
 */
export class EventReceiver {
  #tracked: Tracked | null = null
  #ticksPerMs: number

  constructor(clockHz = 8000) {
    this.#ticksPerMs = clockHz / 1000
  }

  /** The clock of the events, from now on. */
  set clockHz(clockHz: number) {
    this.#ticksPerMs = clockHz / 1000
  }

  /** True while a press has begun and is not told yet: `expire` has something to watch. */
  get pending(): boolean {
    return this.#tracked !== null && !this.#tracked.told
  }

  /**
   * Takes one event packet; `timestamp` is the RTP header's. Returns the presses that are now complete: usually none or one,
   * two when the end of an earlier one was lost and this packet ends the next. Not a digit, too short or old: none.
   */
  packet(now: Millis, timestamp: number, marker: boolean, payload: Uint8Array): readonly Press[] {
    const event = parseTelephoneEvent(payload)
    if (event === null || digitOf(event.event) === null) return NONE
    const known = this.#tracked
    if (known === null) return this.#begin(now, timestamp, event)
    const ahead = (timestamp - known.timestamp) | 0
    if (ahead < 0 && now - known.lastAt < RESTART_MS) return NONE
    if (ahead === 0 && (event.event === known.event || now - known.lastAt < RESTART_MS)) return this.#update(now, known, event)
    if (continues(known, ahead, marker, event.event)) {
      known.before += ahead
      known.timestamp = timestamp
      known.duration = 0
      return this.#update(now, known, event)
    }
    const lost = this.#tell(known)
    const next = this.#begin(now, timestamp, event)
    return lost === null ? next : [lost, ...next]
  }

  /** To be called now and then (a heartbeat) while `pending`: tells a press whose end was lost, or that is held long. */
  expire(now: Millis): Press | null {
    const known = this.#tracked
    if (known === null || known.told || now - known.lastAt < LOST_END_MS) return null
    return this.#tell(known)
  }

  /** Forgets everything: the stream has a new source, whose timestamps have nothing to do with the old one's. */
  reset(): void {
    this.#tracked = null
  }

  #begin(now: Millis, timestamp: number, event: { event: number; duration: number; end: boolean }): readonly Press[] {
    this.#tracked = { event: event.event, timestamp, before: 0, duration: 0, ended: false, told: false, lastAt: now }
    return this.#update(now, this.#tracked, event)
  }

  #update(now: Millis, known: Tracked, event: { event: number; duration: number; end: boolean }): readonly Press[] {
    if (event.event !== known.event) return NONE
    known.lastAt = now
    known.duration = Math.max(known.duration, event.duration)
    known.ended ||= event.end
    const held = (known.before + known.duration) / this.#ticksPerMs >= HELD_MS
    const press = known.ended || held ? this.#tell(known) : null
    return press === null ? NONE : [press]
  }

  #tell(known: Tracked): Press | null {
    const digit = digitOf(known.event)
    if (known.told || digit === null) return null
    known.told = true
    return { digit, ms: Math.round((known.before + known.duration) / this.#ticksPerMs) }
  }
}

const NONE: readonly Press[] = []

/** An older timestamp after so long a pause is not a late packet but a sender that began its timestamps anew. */
const RESTART_MS: Millis = 2000

/** The next segment of a long event: contiguous, the same event, no marker, and the former one did not end. */
function continues(known: Tracked, ahead: number, marker: boolean, event: number): boolean {
  if (marker || known.ended || event !== known.event) return false
  return ahead === known.duration || ahead === LONGEST_SEGMENT
}
