import { type IdentityValue, parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport, type SignedPassport } from '#sip/identity/passport.ts'
import { failed, unsigned, type Verdict } from '#server/stir/verdict.ts'

/** A PASSporT may be so old, or so far ahead of our clock (RFC 8224 §6.2 step 4). */
const freshSeconds = 60
/** Of several Identity values, so many are looked at. */
const mostValues = 4

/** What a request itself says, to be compared with what was signed. Numbers are digits without plus. */
export interface Observed {
  /** Numbers that stand for the caller: asserted, and in From. */
  callers: readonly string[]
  /** Numbers that stand for whom they called. */
  called: readonly string[]
  /** Wall time, ms since the Unix epoch. */
  now: number
}

/** A claim that holds so far: all but the signature itself and the certificate. */
export interface Claim {
  signed: SignedPassport
  url: string
}

/**
 * Reads the SHAKEN signature among the values of Identity (RFC 8224 §6.2, RFC 8588 §5) and checks whatever needs no certificate, so that
 * nobody makes us fetch one for a claim that cannot hold.
 */
export function claimOf(values: readonly string[], seen: Observed): { claim: Claim } | { verdict: Verdict } {
  if (values.length === 0) return { verdict: unsigned }
  const read = values.slice(0, mostValues).map(parseIdentity)
  // Values of other extensions (`div`, `rph`) say something else than who calls.
  const value = read.find((each) => each !== null && (each.ppt ?? 'shaken') === 'shaken')
  if (value === undefined || value === null)
    return { verdict: read.includes(null) ? failed(438, 'the Identity header is malformed') : unsigned }
  return checked(value, seen)
}

function checked(value: IdentityValue, seen: Observed): { claim: Claim } | { verdict: Verdict } {
  if (value.alg !== 'es256') return { verdict: failed(437, 'signed by another algorithm than ES256') }
  const signed = decodePassport(value.token)
  if (signed === null) return { verdict: failed(438, 'the PASSporT is malformed') }
  const { passport } = signed
  const say = (sip: 403 | 437 | 438, why: string) => ({ verdict: failed(sip, why, passport.attest) })
  if (passport.alg !== 'ES256') return say(437, 'signed by another algorithm than ES256')
  if (passport.typ !== 'passport') return say(438, 'the token is no PASSporT')
  if (passport.ppt !== 'shaken') return say(438, 'the PASSporT is of another kind than the header says')
  if (passport.x5u !== value.info) return say(438, 'header and PASSporT name different certificates')
  if (passport.attest === null || passport.origid === null) return say(438, 'the PASSporT lacks an attestation or its origin')
  if (!Number.isInteger(passport.iat) || Math.abs(seen.now / 1000 - passport.iat) > freshSeconds) return say(403, 'signed at another time')
  if (passport.orig === null || !seen.callers.includes(passport.orig)) return say(438, 'signed for another caller')
  if (!passport.dest.some((number) => seen.called.includes(number))) return say(438, 'signed for another called number')
  return { claim: { signed, url: value.info } }
}
