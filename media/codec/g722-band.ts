/** Multiplier of the scale factor by the fractional part of its logarithm (ITU-T G.722 table 14, ILB). */
const ANTILOG = Int16Array.of(
  ...[2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834],
  ...[2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008],
)

/** Poles and zeros of the predictor leak towards zero by these, in 32,768ths, so that transmission errors die away. */
const POLE_1_LEAK = 32_640
const POLE_2_LEAK = 32_512
const ZERO_LEAK = 32_640

/** How one sub-band's quantiser scale moves. */
export interface ScaleRule {
  /** The logarithm of the scale factor stays from 0 to this. */
  most: number
  /** Places the antilogarithm is shifted by. */
  shift: number
  /** The scale factor of silence. */
  start: number
}

/** The lower band's and the higher band's. */
export const LOWER: ScaleRule = { most: 18_432, shift: 8, start: 32 }
export const HIGHER: ScaleRule = { most: 22_528, shift: 10, start: 8 }

/**
 * One sub-band's adaptive state (ITU-T G.722 §3.3 to §3.6): a predictor of two poles and six zeros, and the scale of the quantiser.
 * Encoder and decoder run the same on the quantised differences, so that they stay alike. The comments give the Recommendation's block names.
 */
export class SubBand {
  /** What the next sample is predicted to be. */
  predicted = 0
  /** The quantiser's scale factor. */
  scale: number
  readonly #rule: ScaleRule
  #logScale = 0
  #zeroPart = 0
  /** Past reconstructed samples, and the two pole coefficients. */
  #r1 = 0
  #r2 = 0
  #a1 = 0
  #a2 = 0
  /** Past partial reconstructions, of which only the sign counts. */
  #p1 = 0
  #p2 = 0
  /** Past quantised differences, and the six zero coefficients. */
  readonly #d = new Int32Array(6)
  readonly #b = new Int32Array(6)

  constructor(rule: ScaleRule) {
    this.#rule = rule
    this.scale = rule.start
  }

  /** Takes the quantised difference of this sample (`difference`) and how its code moves the scale (`step`, from the tables WL and WH). Ends with FILTEP and PREDIC. */
  adapt(difference: number, step: number): void {
    this.#rescale(step)
    const reconstructed = saturate(this.predicted + difference)
    const partial = saturate(this.#zeroPart + difference)
    this.#movePoles(partial)
    this.#r2 = this.#r1
    this.#r1 = reconstructed
    this.#p2 = this.#p1
    this.#p1 = partial
    const poles = saturate(((this.#a1 * saturate(this.#r1 * 2)) >> 15) + ((this.#a2 * saturate(this.#r2 * 2)) >> 15))
    this.#zeroPart = saturate(this.#moveZeros(difference))
    this.predicted = saturate(poles + this.#zeroPart)
  }

  /** LOGSCL, SCALEL; LOGSCH, SCALEH. */
  #rescale(step: number): void {
    const log = Math.min(this.#rule.most, Math.max(0, ((this.#logScale * 127) >> 7) + step))
    this.#logScale = log
    const places = this.#rule.shift - (log >> 11)
    const base = ANTILOG[(log >> 6) & 31] as number
    this.scale = (places < 0 ? base << -places : base >> places) << 2
  }

  /** UPPOL2, UPPOL1. */
  #movePoles(partial: number): void {
    const same1 = partial < 0 === this.#p1 < 0
    const same2 = partial < 0 === this.#p2 < 0
    const quadrupled = saturate(this.#a1 << 2)
    const pull = Math.min(32_767, same1 ? -quadrupled : quadrupled)
    const second = (pull >> 7) + (same2 ? 128 : -128) + ((this.#a2 * POLE_2_LEAK) >> 15)
    this.#a2 = Math.min(12_288, Math.max(-12_288, second))
    const first = saturate((same1 ? 192 : -192) + ((this.#a1 * POLE_1_LEAK) >> 15))
    const bound = saturate(15_360 - this.#a2)
    this.#a1 = Math.min(bound, Math.max(-bound, first))
  }

  /** UPZERO, DELAYA and FILTEZ in one pass: the zeros' part of the next sample. A coefficient stays within 16 bit by its leak. */
  #moveZeros(difference: number): number {
    const gain = difference === 0 ? 0 : 128
    const sign = difference >> 31
    const [d, b] = [this.#d, this.#b]
    const d0 = d[0] as number
    const d1 = d[1] as number
    const d2 = d[2] as number
    const d3 = d[3] as number
    const d4 = d[4] as number
    const b0 = moved(b[0] as number, d0, sign, gain)
    const b1 = moved(b[1] as number, d1, sign, gain)
    const b2 = moved(b[2] as number, d2, sign, gain)
    const b3 = moved(b[3] as number, d3, sign, gain)
    const b4 = moved(b[4] as number, d4, sign, gain)
    const b5 = moved(b[5] as number, d[5] as number, sign, gain)
    b[0] = b0
    b[1] = b1
    b[2] = b2
    b[3] = b3
    b[4] = b4
    b[5] = b5
    const now = saturate(difference * 2)
    // Differences are kept doubled, as the filter takes them.
    d[0] = now
    d[1] = d0
    d[2] = d1
    d[3] = d2
    d[4] = d3
    d[5] = d4
    return ((b0 * now) >> 15) + ((b1 * d0) >> 15) + ((b2 * d1) >> 15) + ((b3 * d2) >> 15) + ((b4 * d3) >> 15) + ((b5 * d4) >> 15)
  }
}

/** One zero's coefficient, pulled towards the sign that its past difference and the present one have together. `sign`: -1 of a negative one, else 0. */
function moved(coefficient: number, past: number, sign: number, gain: number): number {
  return (past >> 31 === sign ? gain : -gain) + ((coefficient * ZERO_LEAK) >> 15)
}

/** Kept within 16 bit. */
export function saturate(value: number): number {
  return value > 32_767 ? 32_767 : value < -32_768 ? -32_768 : value
}
