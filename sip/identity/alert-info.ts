/** A ring of its own: the two of RFC 7462 §8 that say where a call comes from, or a name that the phone's own settings know. */
export type RingTone = string

/** What names of rings may be made of: they go into a header, and nothing else may. */
export const ringTonePattern = '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$'

/**
 * The value of Alert-Info (RFC 3261 §20.4) for a ring. `internal` and `external` are the URNs of RFC 7462; other names stand in both places
 * where phones look for one, the `info` parameter and the last part of a URL, whose host cannot be asked for anything (RFC 2606 §2).
 * Null for a name that may not stand in a header.
 */
export function alertInfo(tone: RingTone): string | null {
  if (tone === 'internal' || tone === 'external') return `<urn:alert:source:${tone}>;info=alert-${tone}`
  return new RegExp(ringTonePattern).test(tone) ? `<http://alert.invalid/${tone}>;info=${tone}` : null
}
