import type { Millis } from '#base/clock.ts'
import { type RtpHeader, RTP_HEADER_BYTES, writeRtpHeader } from '#media/rtp/header.ts'
import { sequenceAhead, timestampAhead } from '#media/rtp/sequence.ts'

/** A source whose sequence jumps further than this has begun anew under the same SSRC. */
const SEQUENCE_JUMP = 1000

/** A source whose timestamps leave real time by more than this has begun anew. */
const TIMESTAMP_JUMP_MS: Millis = 5000

/** What we generate may be so much behind real time; beyond, time passed for which nothing was generated: beats of the engine were left out, or a room was on hold. */
const LAG_MS: Millis = 200

/** Timestamps of a new source start at least so far behind the last one's: one usual packet. */
const LEAST_STEP_MS: Millis = 20

/** A packet that we make, not forward. */
export interface GeneratedPacket {
  payloadType: number
  /** Of an event, where it means that another one begins (RFC 4733 §2.2); absent, of audio: where the source changes. */
  marker?: boolean
  timestamp: number
  payloadBytes: number
}

/**
 * The one continuous RTP stream that a peer receives from us, whatever it is made of: other parties, prompts, tones, digits.
 * One SSRC for its life; sequence numbers without a gap of our making, timestamps that follow real time, the marker bit where
 * the source changes (RFC 3550 §5.1, RFC 3551 §4.1). Within one source its own gaps and order are kept: the receiver must see
 * what was lost on the way.
 */
export class OutgoingStream {
  readonly ssrc: number
  /** The clock of its timestamps. One SSRC has one clock for its life (RFC 7160 §4.1). */
  readonly clockHz: number
  readonly #ticksPerMs: number
  packets = 0
  /** Payload octets, for sender reports. */
  bytes = 0
  /** When the last packet was sent; -Infinity before the first. */
  lastAt: Millis = Number.NEGATIVE_INFINITY
  /** Sequence and timestamp of the furthest packet sent; timestamps here are signed, which keeps them small integers to the machine. */
  #sequence: number
  #timestamp: number
  /** Who is being forwarded; null while we generate, or nobody has begun. */
  #source: object | null = null
  #sourceSsrc = 0
  #sequenceOffset = 0
  #timestampOffset = 0
  /** First of our sequence numbers that this source may use: what is older belongs to the source before, or is much too late. */
  #first = 0
  #generating = false
  /** Timestamp of what we generate next, and whether that is the first after another source. */
  #next = 0
  #marker = false
  /** How far timestamps stood ahead of our clock, in its ticks, when generating began. */
  #lead = 0

  /** `start`: random first values (RFC 3550 §5.1: SHOULD be random). */
  constructor(start: { ssrc: number; sequence: number; timestamp: number }, clockHz = 8000) {
    this.clockHz = clockHz
    this.#ticksPerMs = clockHz / 1000
    this.ssrc = start.ssrc >>> 0
    this.#sequence = start.sequence & 0xffff
    this.#timestamp = start.timestamp | 0
  }

  /**
   * Rewrites a received packet of `source` in place, with a fixed header of 12 bytes directly before its payload. Returns
   * where the packet to send begins, or -1: it is too old, and must not be sent.
   */
  forward(packet: Buffer, received: RtpHeader, source: object, payloadType: number): number {
    const now = received.arrivedAt
    const fresh = this.#source !== source || this.#sourceSsrc !== (received.ssrc | 0) || this.#leaps(received)
    if (fresh) this.#begin(received, source)
    const sequence = (received.sequence + this.#sequenceOffset) & 0xffff
    if (sequenceAhead(sequence, this.#first) < 0) return -1
    const timestamp = (received.timestamp + this.#timestampOffset) | 0
    const at = received.payloadStart - RTP_HEADER_BYTES
    writeRtpHeader(packet, at, this.ssrc, { payloadType, marker: fresh || received.marker, sequence, timestamp })
    this.#sent(sequence, timestamp, received.payloadEnd - received.payloadStart, now)
    return at
  }

  /** A packet of `source` is kept back for good: the numbers close up behind it, so that it does not look lost. */
  swallow(source: object): void {
    if (this.#source === source) this.#sequenceOffset = (this.#sequenceOffset - 1) & 0xffff
  }

  /** Who is forwarded will not be for a while: what it says meanwhile is no loss, and what it says then goes on by one, marked. */
  interrupt(): void {
    this.#source = null
  }

  /** The timestamp of audio that we generate next. Changes over to generating if something else was sent before, or time passed without any. */
  generate(now: Millis): number {
    if (!this.#generating) {
      this.#generating = true
      this.#source = null
      this.#marker = true
      this.#next = this.#timestampAt(now)
      this.#lead = this.#leadAt(now)
      return this.#next
    }
    const lag = timestampAhead(this.#lead, this.#leadAt(now))
    if (lag > LAG_MS * this.#ticksPerMs) {
      this.#marker = true
      this.advance(lag)
    }
    return this.#next
  }

  #leadAt(now: Millis): number {
    return timestampAhead(this.#next, Math.round(now * this.#ticksPerMs))
  }

  /** What we generate paused: when it goes on, its timestamps follow real time again, and the marker says so. */
  pause(): void {
    this.#generating = false
  }

  /** Writes the header of a generated packet, whose time `generate` has told, at the head of `packet`. */
  stamp(packet: Buffer, generated: GeneratedPacket, now: Millis): void {
    const { payloadType, timestamp, payloadBytes } = generated
    const sequence = this.packets === 0 ? this.#sequence : (this.#sequence + 1) & 0xffff
    writeRtpHeader(packet, 0, this.ssrc, { payloadType, marker: generated.marker ?? this.#marker, sequence, timestamp })
    if (generated.marker === undefined) this.#marker = false
    // An event's packets carry the time of its beginning; what follows goes on from now.
    this.#sent(sequence, this.#next, payloadBytes, now)
  }

  /** Generated time passes, in RTP ticks, whether or not a packet was sent for it. */
  advance(ticks: number): void {
    this.#next = (this.#next + ticks) >>> 0
  }

  /** The timestamp that goes with this instant, for sender reports (RFC 3550 §6.4.1). */
  timestampNow(now: Millis): number {
    if (this.packets === 0) return this.#timestamp >>> 0
    return (this.#timestamp + Math.round((now - this.lastAt) * this.#ticksPerMs)) >>> 0
  }

  #begin(received: RtpHeader, source: object): void {
    this.#source = source
    this.#sourceSsrc = received.ssrc | 0
    this.#generating = false
    this.#first = this.packets === 0 ? this.#sequence : (this.#sequence + 1) & 0xffff
    this.#sequenceOffset = (this.#first - received.sequence) & 0xffff
    this.#timestampOffset = (this.#timestampAt(received.arrivedAt) - received.timestamp) | 0
  }

  /** The timestamp for a source that begins now: real time since the last packet, and never before its end. */
  #timestampAt(now: Millis): number {
    if (this.packets === 0) return this.#timestamp >>> 0
    const elapsedMs = Math.round(now - this.lastAt)
    return (this.#timestamp + Math.max(LEAST_STEP_MS, elapsedMs) * this.#ticksPerMs) >>> 0
  }

  /** Whether the same source began anew: its numbers or its time jump. */
  #leaps(received: RtpHeader): boolean {
    const ahead = sequenceAhead((received.sequence + this.#sequenceOffset) & 0xffff, this.#sequence)
    if (ahead > SEQUENCE_JUMP || ahead < -SEQUENCE_JUMP) return true
    const elapsed = (received.arrivedAt - this.lastAt) * this.#ticksPerMs
    const drift = timestampAhead(received.timestamp + this.#timestampOffset, this.#timestamp) - elapsed
    const jump = TIMESTAMP_JUMP_MS * this.#ticksPerMs
    return ahead > 0 && (drift > jump || drift < -jump)
  }

  #sent(sequence: number, timestamp: number, payloadBytes: number, now: Millis): void {
    if (this.packets === 0 || sequenceAhead(sequence, this.#sequence) > 0) {
      this.#sequence = sequence
      this.#timestamp = timestamp | 0
      this.lastAt = now
      // It follows: what it stood still for half the numbers behind, it would be ahead of.
      if (sequenceAhead(sequence, this.#first) > SEQUENCE_JUMP) this.#first = (sequence - SEQUENCE_JUMP) & 0xffff
    }
    this.packets++
    this.bytes += payloadBytes
  }
}
