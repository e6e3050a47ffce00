import type { Attestation } from '#sip/identity/passport.ts'

/** What a signed caller identity is worth. */
export type Verdict =
  | { verdict: 'passed'; attestation: Attestation | null }
  /** `sip`: how a call is refused whose trunk wants good signatures only (RFC 8224 §6.2.2). */
  | { verdict: 'failed' | 'unsure'; attestation: Attestation | null; why: string; sip: 403 | 428 | 436 | 437 | 438 }

/** Reason phrases of RFC 8224 §6.2.2. */
export const phrases: Readonly<Record<403 | 428 | 436 | 437 | 438, string>> = {
  403: 'Stale Date',
  428: 'Use Identity Header',
  436: 'Bad Identity Info',
  437: 'Unsupported Credential',
  438: 'Invalid Identity Header',
}

/** The verdict on a request that is not signed at all. */
export const unsigned: Verdict = { verdict: 'unsure', attestation: null, why: 'the call is not signed', sip: 428 }

export function failed(sip: 403 | 428 | 436 | 437 | 438, why: string, attestation: Attestation | null = null): Verdict {
  return { verdict: 'failed', attestation, why, sip }
}
