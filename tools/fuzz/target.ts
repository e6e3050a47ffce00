/** A parser under attack. */
export interface FuzzTarget {
  readonly name: string
  /** Good and bad examples from which the attack starts. */
  seeds(): readonly Uint8Array[]
  /**
   * Feeds one input to the parser. Throwing is a failure: so a target may also throw when a promise of its parser is broken. The text that
   * comes back names what the parser made of the input; inputs that bring a new text are kept and changed further.
   */
  run(bytes: Uint8Array): string
  /** One call may take so much CPU time, milliseconds, for inputs up to MAX_INPUT_BYTES. Default 5. */
  readonly limitMs?: number
}

export const DEFAULT_LIMIT_MS = 5

/** One datagram. */
export const MAX_INPUT_BYTES = 65_535
