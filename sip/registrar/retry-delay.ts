import type { Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { RegistrationDown } from '#sip/registrar/registration.ts'

/** First pause and longest pause by cause. What was refused will be refused again until a person acts; silence may end any moment. */
const PAUSES: Record<RegistrationDown['why'], { readonly first: Millis; readonly longest: Millis }> = {
  unanswered: { first: 2_000, longest: 60_000 },
  unavailable: { first: 5_000, longest: 120_000 },
  refused: { first: 60_000, longest: 1_800_000 },
}

/** Longest Retry-After that is obeyed: a mistake in it must not take a trunk away for days. */
const LONGEST_RETRY_AFTER_S = 3_600

/**
 * How long to wait after `failures` earlier failures: doubling from the first pause to the longest, scattered over its upper half so that
 * clients of one registrar do not come back together (RFC 5626 §4.5). A Retry-After (seconds) is the least then.
 */
export function retryDelay(failures: number, why: RegistrationDown['why'], retryAfter: number | null, random: Random): Millis {
  const { first, longest } = PAUSES[why]
  const pause = Math.min(longest, first * 2 ** Math.min(failures, 20))
  const scattered = pause / 2 + random.below(Math.floor(pause / 2) + 1)
  const asked = Math.min(retryAfter ?? 0, LONGEST_RETRY_AFTER_S) * 1000
  return asked > 0 ? asked + random.below(1_000) : scattered
}
