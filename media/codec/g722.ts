import { HIGHER, LOWER, saturate, SubBand } from '#media/codec/g722-band.ts'

/** Octets of one millisecond at 64 kbit/s; each carries two samples at 16 kHz. */
export const G722_OCTETS_PER_MS = 8

/** Samples that the quadrature mirror filter looks back on. */
const QMF_PAST = 22

/** Decision levels of the lower band's quantiser (table 15, Q6). */
const DECISION = Int16Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
)

/**
 * The decision interval, 1 to 30, of a difference by its magnitude over the scale: how many levels it reaches. A magnitude m reaches the level d
 * when m >= (d * scale) >> 12, which is as much as d <= ((m + 1) * 4096 - 1) / scale, rounded down.
 */
const LAST_LEVEL = DECISION[29] as number
const INTERVAL = Uint8Array.from({ length: LAST_LEVEL + 1 }, (_, place) => DECISION.filter((level) => level <= place).length)

/** The lower band's code of a positive or negative difference by its decision interval (table 16, ILP and ILN). */
const CODE_POSITIVE = Uint8Array.from({ length: 31 }, (_, interval) => (interval === 0 ? 0 : 62 - interval))
const CODE_NEGATIVE = Uint8Array.from({ length: 31 }, (_, interval) => (interval === 0 ? 0 : interval < 3 ? 64 - interval : 34 - interval))

/** Output of the inverse quantisers of 6 bits (what is heard) and of 4 (what the predictor follows), tables 17 and 18; and of the higher band. */
const LEVEL_6 = Int16Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856],
  ...[-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728],
  ...[24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
)
const LEVEL_4 = Int16Array.of(...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200], ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0])
const LEVEL_2 = Int16Array.of(-7408, -1616, 7408, 1616)

/** How a code moves the scale: the lower band's by its upper four bits (tables RL42 and WL), the higher band's (RH2 and WH). */
const STEP_4 = Int16Array.of(-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60)
const STEP_2 = Int16Array.of(798, -214, 798, -214)

/** The one decision level of the higher band. */
const DECISION_HIGHER = 564

/**
 * Every other of 24 samples through the quadrature mirror filter (ITU-T G.722 table 11; the coefficients of the others are the same backwards):
 * from `at` forwards, or from `at` backwards.
 */
function forwards(line: Int32Array, at: number): number {
  return (
    (line[at] as number) * 3 -
    (line[at + 2] as number) * 11 +
    (line[at + 4] as number) * 12 +
    (line[at + 6] as number) * 32 -
    (line[at + 8] as number) * 210 +
    (line[at + 10] as number) * 951 +
    (line[at + 12] as number) * 3876 -
    (line[at + 14] as number) * 805 +
    (line[at + 16] as number) * 362 -
    (line[at + 18] as number) * 156 +
    (line[at + 20] as number) * 53 -
    (line[at + 22] as number) * 11
  )
}

function backwards(line: Int32Array, at: number): number {
  return (
    (line[at] as number) * 3 -
    (line[at - 2] as number) * 11 +
    (line[at - 4] as number) * 12 +
    (line[at - 6] as number) * 32 -
    (line[at - 8] as number) * 210 +
    (line[at - 10] as number) * 951 +
    (line[at - 12] as number) * 3876 -
    (line[at - 14] as number) * 805 +
    (line[at - 16] as number) * 362 -
    (line[at - 18] as number) * 156 +
    (line[at - 20] as number) * 53 -
    (line[at - 22] as number) * 11
  )
}

/** The filter's past with a packet behind it; longer packets go through in parts. */
const MOST_PAIRS = 480
const newLine = (): Int32Array => new Int32Array(QMF_PAST + 2 * MOST_PAIRS)

/** Turns samples at 16 kHz into G.722 at 64 kbit/s. */
export class G722Encoder {
  readonly #lower = new SubBand(LOWER)
  readonly #higher = new SubBand(HIGHER)
  readonly #line = newLine()

  /** Encodes an even number of samples into `payload` from `at`, an octet for two; what does not fit is left out. Returns the octets written. */
  encode(pcm: Int16Array, payload: Uint8Array, at = 0): number {
    const count = Math.max(0, Math.min(pcm.length >> 1, payload.length - at))
    for (let from = 0; from < count; from += MOST_PAIRS) this.#part(pcm, payload, { from, to: Math.min(count, from + MOST_PAIRS), at })
    return count
  }

  #part(pcm: Int16Array, payload: Uint8Array, { from, to, at }: { from: number; to: number; at: number }): void {
    const line = this.#line
    const length = 2 * (to - from)
    for (let i = 0; i < length; i++) line[QMF_PAST + i] = pcm[2 * from + i] as number
    for (let i = from, k = 0; i < to; i++, k += 2) {
      const odd = forwards(line, k)
      const even = backwards(line, k + 23)
      payload[at + i] = this.#encodeLower((even + odd) >> 14) | (this.#encodeHigher((even - odd) >> 14) << 6)
    }
    line.copyWithin(0, length, length + QMF_PAST)
  }

  #encodeLower(sample: number): number {
    const band = this.#lower
    const difference = saturate(sample - band.predicted)
    const magnitude = difference >= 0 ? difference : -(difference + 1)
    const place = ((((magnitude + 1) << 12) - 1) / band.scale) | 0
    const interval = INTERVAL[place < LAST_LEVEL ? place : LAST_LEVEL] as number
    const code = (difference < 0 ? CODE_NEGATIVE : CODE_POSITIVE)[interval] as number
    adaptLower(band, code)
    return code
  }

  #encodeHigher(sample: number): number {
    const band = this.#higher
    const difference = saturate(sample - band.predicted)
    const magnitude = difference >= 0 ? difference : -(difference + 1)
    const isLarge = magnitude >= (DECISION_HIGHER * band.scale) >> 12
    const code = (difference < 0 ? 0 : 2) + (isLarge ? 0 : 1)
    adaptHigher(band, code)
    return code
  }
}

/** Turns G.722 at 64 kbit/s into samples at 16 kHz. */
export class G722Decoder {
  readonly #lower = new SubBand(LOWER)
  readonly #higher = new SubBand(HIGHER)
  readonly #line = newLine()

  /** Decodes into `pcm` from its beginning, two samples an octet; what does not fit is left out. Returns the samples written. */
  decode(payload: Uint8Array, pcm: Int16Array): number {
    const count = Math.min(payload.length, pcm.length >> 1)
    for (let from = 0; from < count; from += MOST_PAIRS) this.#part(payload, pcm, from, Math.min(count, from + MOST_PAIRS))
    return count * 2
  }

  #part(payload: Uint8Array, pcm: Int16Array, from: number, to: number): void {
    const line = this.#line
    for (let i = from, k = 0; i < to; i++, k += 2) {
      const octet = payload[i] as number
      const low = this.#decodeLower(octet & 0x3f)
      const high = this.#decodeHigher(octet >> 6)
      line[QMF_PAST + k] = low + high
      line[QMF_PAST + 1 + k] = low - high
      pcm[2 * i] = saturate(backwards(line, k + 23) >> 11)
      pcm[2 * i + 1] = saturate(forwards(line, k) >> 11)
    }
    const length = 2 * (to - from)
    line.copyWithin(0, length, length + QMF_PAST)
  }

  #decodeLower(code: number): number {
    const band = this.#lower
    const sample = within15(band.predicted + ((band.scale * (LEVEL_6[code] as number)) >> 15))
    adaptLower(band, code)
    return sample
  }

  #decodeHigher(code: number): number {
    const band = this.#higher
    const sample = within15(band.predicted + ((band.scale * (LEVEL_2[code] as number)) >> 15))
    adaptHigher(band, code)
    return sample
  }
}

function adaptLower(band: SubBand, code: number): void {
  const four = code >> 2
  band.adapt((band.scale * (LEVEL_4[four] as number)) >> 15, STEP_4[four] as number)
}

function adaptHigher(band: SubBand, code: number): void {
  band.adapt((band.scale * (LEVEL_2[code] as number)) >> 15, STEP_2[code] as number)
}

/** The sub-bands' reconstructions are kept within 15 bit (LIMIT). */
function within15(value: number): number {
  return value > 16_383 ? 16_383 : value < -16_384 ? -16_384 : value
}
