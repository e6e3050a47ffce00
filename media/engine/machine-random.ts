import { randomBytes } from 'node:crypto'
import type { Random } from '#base/ids.ts'

/** Bytes drawn from the operating system at once: a call to it costs more than the bytes. */
const poolBytes = 4096
/** What a number is drawn from: 6 bytes. */
const DRAWN_BYTES = 6
const DRAWN = 2 ** 48

/** The machine's cryptographic randomness. */
export function machineRandom(): Random {
  let pool = randomBytes(poolBytes)
  let used = 0
  /** Where so many fresh bytes begin. */
  const draw = (bytes: number): number => {
    if (used + bytes > pool.length) {
      pool = randomBytes(Math.max(poolBytes, bytes))
      used = 0
    }
    used += bytes
    return used - bytes
  }
  return {
    hex(bytes) {
      const from = draw(bytes)
      return pool.toString('hex', from, from + bytes)
    },
    below(limit) {
      // There would be nothing to draw, for ever.
      if (!(limit >= 1 && limit <= DRAWN)) throw new RangeError(`no number is drawn below ${limit}`)
      // What does not fill a whole round of `limit` is drawn again, so that no number is likelier than another.
      const whole = DRAWN - (DRAWN % limit)
      for (;;) {
        const from = draw(DRAWN_BYTES)
        const drawn = threeBytes(pool, from) * 2 ** 24 + threeBytes(pool, from + 3)
        if (drawn < whole) return drawn % limit
      }
    },
  }
}

/** As a number that V8 keeps in place, where all six would make an object of every draw. */
function threeBytes(pool: Buffer, at: number): number {
  return ((pool[at] as number) << 16) | ((pool[at + 1] as number) << 8) | (pool[at + 2] as number)
}
