import { HIGHER, LOWER, saturate, SubBand } from '#media/codec/g722-band.ts'

/** Octets of one millisecond at 64 kbit/s; each carries two samples at 16 kHz. */
export const G722_OCTETS_PER_MS = 8

/** The quadrature mirror filter's coefficients (ITU-T G.722 table 11), one half; the other half is the same backwards. */
const QMF = Int16Array.of(3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11)
const QMF_TAPS = 24

/** Decision levels of the lower band's quantiser (table 15, Q6). */
const DECISION = Int16Array.of(
  ...[0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714],
  ...[786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919],
)

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

/** Turns samples at 16 kHz into G.722 at 64 kbit/s. */
export class G722Encoder {
  readonly #lower = new SubBand(LOWER)
  readonly #higher = new SubBand(HIGHER)
  readonly #past = new Int32Array(QMF_TAPS)

  /** Encodes an even number of samples into `payload` from `at`, an octet for two; what does not fit is left out. Returns the octets written. */
  encode(pcm: Int16Array, payload: Uint8Array, at = 0): number {
    const count = Math.max(0, Math.min(pcm.length >> 1, payload.length - at))
    for (let i = 0; i < count; i++) payload[at + i] = this.#pair(pcm[2 * i] as number, pcm[2 * i + 1] as number)
    return count
  }

  #pair(first: number, second: number): number {
    const past = this.#past
    past.copyWithin(0, 2)
    past[QMF_TAPS - 2] = first
    past[QMF_TAPS - 1] = second
    let odd = 0
    let even = 0
    for (let i = 0; i < 12; i++) {
      odd += (past[2 * i] as number) * (QMF[i] as number)
      even += (past[2 * i + 1] as number) * (QMF[11 - i] as number)
    }
    return this.#encodeLower((even + odd) >> 14) | (this.#encodeHigher((even - odd) >> 14) << 6)
  }

  #encodeLower(sample: number): number {
    const band = this.#lower
    const difference = saturate(sample - band.predicted)
    const magnitude = difference >= 0 ? difference : -(difference + 1)
    let interval = 1
    while (interval < 30 && magnitude >= ((DECISION[interval] as number) * band.scale) >> 12) interval++
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
  readonly #past = new Int32Array(QMF_TAPS)

  /** Decodes into `pcm` from its beginning, two samples an octet; what does not fit is left out. Returns the samples written. */
  decode(payload: Uint8Array, pcm: Int16Array): number {
    const count = Math.min(payload.length, pcm.length >> 1)
    const past = this.#past
    for (let i = 0; i < count; i++) {
      const octet = payload[i] as number
      const low = this.#decodeLower(octet & 0x3f)
      const high = this.#decodeHigher(octet >> 6)
      past.copyWithin(0, 2)
      past[QMF_TAPS - 2] = low + high
      past[QMF_TAPS - 1] = low - high
      let odd = 0
      let even = 0
      for (let k = 0; k < 12; k++) {
        odd += (past[2 * k] as number) * (QMF[k] as number)
        even += (past[2 * k + 1] as number) * (QMF[11 - k] as number)
      }
      pcm[2 * i] = saturate(even >> 11)
      pcm[2 * i + 1] = saturate(odd >> 11)
    }
    return count * 2
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
