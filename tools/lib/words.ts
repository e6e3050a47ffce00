import { Trouble } from '#tools/lib/trouble.ts'

/** `102@4`: something, and how many seconds after the answer. Without `@`, after `otherwise` seconds. */
export function timed(word: string, otherwise: number): { what: string; atMs: number } {
  const at = word.lastIndexOf('@')
  if (at < 0) return { what: word, atMs: otherwise * 1000 }
  return { what: word.slice(0, at), atMs: seconds(word.slice(at + 1), word) * 1000 }
}

/** A number of seconds, with decimals, 0 to 3600. `word`: where it stands, for the message. */
export function seconds(text: string, word: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(value <= 3600)) throw new Trouble(`${word}: expected seconds, 0 to 3600, found "${text}"`)
  return value
}

/** Keys of a telephone. */
export function keys(text: string, word: string): string {
  if (!/^[0-9*#A-D]{1,40}$/.test(text)) throw new Trouble(`${word}: expected keys (0-9 * # A-D), found "${text}"`)
  return text
}

/** A telephone number as people write it. */
export function number(text: string): string {
  const digits = text.replace(/[\s().-]/g, '')
  if (!/^\+?[0-9*#]{2,20}$/.test(digits)) throw new Trouble(`"${text}" is not a telephone number`)
  return digits
}
