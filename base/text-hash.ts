import { randomBytes } from 'node:crypto'

/** Drawn anew by each process: from outside nobody can tell which texts have the same number. */
const FIRST = randomBytes(4).readInt32LE()
const FACTOR = randomBytes(4).readInt32LE() | 1

/** A number of 32 bits made of all of a text, or of several one after the other: then `before` is that of those before it. */
export function textHash(text: string, before: number = FIRST): number {
  let hash = Math.imul(before ^ text.length, FACTOR)
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FACTOR)
    hash ^= hash >>> 15
  }
  return hash
}
