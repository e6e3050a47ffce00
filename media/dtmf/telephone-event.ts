/**
 * The payload of RFC 4733 §2.3 and the digits it names (§3.2).
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |     event     |E|R| volume    |          duration             |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export interface TelephoneEvent {
  /** 0 to 15 are digits; others are modem and line signals. */
  event: number
  /** The event has ended: `duration` is its whole length. */
  end: boolean
  /** Power below 0 dBm0, 0 to 63. */
  volume: number
  /** In RTP clock ticks (8,000 a second), so far, 0 to 65535. */
  duration: number
}

/** Digits by event code, 0 to 15. */
export const DIGITS = '0123456789*#ABCD'

/** Octets of one event. */
export const EVENT_BYTES = 4

const END = 0x80
const VOLUME = 0x3f

/** `null` when the payload is shorter than an event. Octets after the first event are ignored: some senders pad. */
export function parseTelephoneEvent(payload: Uint8Array): TelephoneEvent | null {
  if (payload.length < EVENT_BYTES) return null
  const [event = 0, flags = 0, high = 0, low = 0] = payload
  return { event, end: (flags & END) !== 0, volume: flags & VOLUME, duration: (high << 8) | low }
}

/** Writes the four octets into `out` from `at`. */
export function writeTelephoneEvent(event: TelephoneEvent, out: Uint8Array, at = 0): void {
  out[at] = event.event
  out[at + 1] = (event.end ? END : 0) | (event.volume & VOLUME)
  out[at + 2] = event.duration >> 8
  out[at + 3] = event.duration & 0xff
}

/** Event code of a digit `0-9*#A-D` (lower case too); `null` for any other character. */
export function eventOf(digit: string): number | null {
  const code = digit.length === 1 ? DIGITS.indexOf(digit.toUpperCase()) : -1
  return code < 0 ? null : code
}

/** The digit of an event code; `null` for events that are not digits. */
export function digitOf(event: number): string | null {
  return DIGITS[event] ?? null
}
