/** Random bytes port, so that cores stay free of the machine's randomness. */
export interface Random {
  /** `n` cryptographically random bytes as lower-case hexadecimal (2n characters). */
  hex(bytes: number): string
  /** A uniform integer in [0, below). */
  below(limit: number): number
}

/** Repeatable randomness for tests (a counter); never for production. */
export function countingRandom(): Random {
  let n = 0
  return {
    hex: (bytes) =>
      (++n)
        .toString(16)
        .padStart(bytes * 2, '0')
        .slice(-bytes * 2),
    below: (limit) => n++ % limit,
  }
}
