import type { RtpHeader } from '#media/rtp/header.ts'
import { timestampAhead } from '#media/rtp/sequence.ts'

/** Sequence numbers may jump so far ahead, or come so much too late, within one stream (RFC 3550 §A.1). */
const MAX_DROPOUT = 3000
const MAX_MISORDER = 100

const SEQUENCES = 65_536

/** What a report block says about a source (RFC 3550 §6.4.1). */
export interface ReceptionReport {
  ssrc: number
  /** Share lost since the last report, in 256ths. */
  fractionLost: number
  /** Packets lost since the beginning, 24 bits, signed. */
  cumulativeLost: number
  /** With the count of cycles in the upper half. */
  highestSequence: number
  /** In timestamp units. */
  jitter: number
}

/**
 * Counts one incoming stream as RFC 3550 §A.1, §A.3 and §A.8 do. A new SSRC begins a new stream; the totals go on over it.
 * There is no probation (§A.1): who may send is decided by address before a packet comes here.
 */
export class Reception {
  /** Since the beginning, over all SSRCs. */
  packets = 0
  bytes = 0
  /** How often something was missing, however much in a row. */
  gaps = 0
  /** The stream's SSRC; meaningless while `packets` is 0. */
  ssrc = 0
  #base = 0
  #highest = 0
  #cycles = 0
  #received = 0
  /** Where the sequence must go on for a jump to be believed. */
  #expectedAfterJump = -1
  #lostBefore = 0
  #jitter = 0
  #transit = 0
  /** Of the timestamps: 8 for everything but Opus. */
  #ticksPerMs = 8
  /** The clock changed: the next packet cannot be compared with the one before. */
  #restarted = false
  #expectedAtReport = 0
  #receivedAtReport = 0

  /** Takes a packet of so many octets behind the fixed header. */
  packet(header: Pick<RtpHeader, 'ssrc' | 'sequence' | 'timestamp' | 'arrivedAt'>, bytes: number): void {
    const { ssrc, sequence, timestamp } = header
    const first = this.packets === 0
    this.packets++
    this.bytes += bytes
    if (first || ssrc !== this.ssrc) this.#begin(ssrc, sequence)
    else if (!this.#follow(sequence)) return
    const arrival = Math.round(header.arrivedAt * this.#ticksPerMs) | 0
    const transit = timestampAhead(arrival, timestamp)
    if (this.#received > 1 && !this.#restarted) {
      const d = Math.abs(timestampAhead(transit, this.#transit))
      this.#jitter += (d - this.#jitter) / 16
    }
    this.#transit = transit
    this.#restarted = false
  }

  /** The codec that was agreed on has this clock. */
  set clockHz(clockHz: number) {
    const ticksPerMs = clockHz / 1000
    if (ticksPerMs === this.#ticksPerMs) return
    this.#ticksPerMs = ticksPerMs
    this.#jitter = 0
    this.#restarted = true
  }

  /** Packets that did not arrive, as far as the sequence numbers tell; never below 0. */
  get lost(): number {
    return Math.max(0, this.#lostBefore + this.#lostNow())
  }

  /** Packets that should have come, over all SSRCs. */
  get expected(): number {
    return this.packets + this.lost
  }

  get jitterMs(): number {
    return this.#jitter / this.#ticksPerMs
  }

  /** The report block of now; the next one's fraction counts from here. null while nothing was received. */
  report(): ReceptionReport | null {
    if (this.packets === 0) return null
    const expected = this.#expected()
    const expectedSince = expected - this.#expectedAtReport
    const lostSince = expectedSince - (this.#received - this.#receivedAtReport)
    this.#expectedAtReport = expected
    this.#receivedAtReport = this.#received
    return {
      ssrc: this.ssrc,
      fractionLost: expectedSince <= 0 || lostSince <= 0 ? 0 : Math.floor((lostSince * 256) / expectedSince),
      cumulativeLost: Math.max(-0x800000, Math.min(0x7fffff, this.#lostNow())),
      highestSequence: (this.#cycles + this.#highest) >>> 0,
      jitter: Math.floor(this.#jitter),
    }
  }

  #begin(ssrc: number, sequence: number): void {
    this.#lostBefore += Math.max(0, this.#received === 0 ? 0 : this.#lostNow())
    this.ssrc = ssrc
    this.#base = sequence
    this.#highest = sequence
    this.#cycles = 0
    this.#received = 1
    this.#expectedAfterJump = -1
    this.#expectedAtReport = 0
    this.#receivedAtReport = 0
  }

  /** False: a jump that only the next packet can confirm; it is not counted in the stream. */
  #follow(sequence: number): boolean {
    const ahead = (sequence - this.#highest + SEQUENCES) % SEQUENCES
    if (ahead < MAX_DROPOUT) {
      if (ahead > 1) this.gaps++
      if (sequence < this.#highest) this.#cycles += SEQUENCES
      this.#highest = sequence
    } else if (ahead <= SEQUENCES - MAX_MISORDER) {
      if (sequence !== this.#expectedAfterJump) {
        this.#expectedAfterJump = (sequence + 1) % SEQUENCES
        return false
      }
      this.#begin(this.ssrc, sequence)
      return true
    }
    this.#received++
    return true
  }

  #expected(): number {
    return this.#cycles + this.#highest - this.#base + 1
  }

  #lostNow(): number {
    return this.#received === 0 ? 0 : this.#expected() - this.#received
  }
}
