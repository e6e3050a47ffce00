/** How far 16-bit sequence number `a` is ahead of `b`, -32768 to 32767 (RFC 1982's serial arithmetic, as RFC 3550 §A.1 uses it). */
export function sequenceAhead(a: number, b: number): number {
  return ((a - b) << 16) >> 16
}

/** How far 32-bit timestamp `a` is ahead of `b`, -2^31 to 2^31-1. */
export function timestampAhead(a: number, b: number): number {
  return (a - b) | 0
}
