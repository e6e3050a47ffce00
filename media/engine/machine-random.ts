import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '#base/ids.ts'

/** The machine's randomness. */
export const machineRandom: Random = {
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  below: (limit) => randomInt(limit),
}
