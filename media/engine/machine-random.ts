import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '#base/ids.ts'

/** Bytes drawn from the operating system at once: a call to it costs more than the bytes. */
const poolBytes = 4096

/** The machine's cryptographic randomness. */
export function machineRandom(): Random {
  let pool = randomBytes(poolBytes)
  let used = 0
  return {
    hex(bytes) {
      if (used + bytes > pool.length) {
        pool = randomBytes(Math.max(poolBytes, bytes))
        used = 0
      }
      used += bytes
      return pool.toString('hex', used - bytes, used)
    },
    below: (limit) => randomInt(limit),
  }
}
