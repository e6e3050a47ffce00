const room = Buffer.allocUnsafeSlow(1024)
/** Shorter ones V8 copies anyway. */
const POINTS_FROM = 13

/**
 * The same text, in a piece of memory of its own. What V8 makes by `slice`, `+` and templates points into the texts that it was made of, for
 * as long as it lives; and from the first such text on `JSON.stringify` goes a way that takes twice as long.
 */
export function flatText(text: string): string {
  if (text.length < POINTS_FROM) return text
  if (text.length <= room.length) {
    const copy = room.toString('latin1', 0, room.write(text, 'latin1'))
    // Nothing else comes back from it whole.
    if (copy === text) return copy
  }
  // V8 writes two texts that were joined side by side before it cuts a part out of them.
  return ` ${text}`.slice(1)
}
