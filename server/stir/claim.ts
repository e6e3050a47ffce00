import { type IdentityValue, parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport, type Passport, type SignedPassport } from '#sip/identity/passport.ts'
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

/** Claims that hold so far: all but the signatures themselves and the certificates. */
export interface Claim {
  /** Who calls, and whom they called first. */
  shaken: SignedClaim
  /** Who sent the call on, from that one to us (RFC 8946); none when it came directly. */
  diversions: readonly SignedClaim[]
}

export interface SignedClaim {
  signed: SignedPassport
  /** Where the certificate is. */
  url: string
}

/**
 * Reads the signatures among the values of Identity: of SHAKEN (RFC 8224 §6.2, RFC 8588 §5) and of who sent the call on (RFC 8946 §5), and checks whatever
 * needs no certificate, so that nobody makes us fetch one for a claim that cannot hold.
 */
export function claimOf(values: readonly string[], seen: Observed): { claim: Claim } | { verdict: Verdict } {
  if (values.length === 0) return { verdict: unsigned }
  const read = values.slice(0, mostValues).map(parseIdentity)
  // Values of other extensions (`rph`) say something else than who calls.
  const value = read.find((each) => each !== null && (each.ppt ?? 'shaken') === 'shaken')
  if (value === undefined || value === null)
    return { verdict: read.includes(null) ? failed(438, 'the Identity header is malformed') : unsigned }
  const shaken = checked(value, 'shaken', seen)
  if ('verdict' in shaken) return shaken
  const { attest, origid, orig, dest } = shaken.signed.passport
  const say = (why: string) => ({ verdict: failed(438, why, attest) })
  if (attest === null || origid === null) return say('the PASSporT lacks an attestation or its origin')
  if (orig === null || !seen.callers.includes(orig)) return say('signed for another caller')
  if (dest.some((number) => seen.called.includes(number))) return { claim: { shaken, diversions: [] } }
  const links = read.flatMap((each) => (each?.ppt === 'div' ? [checked(each, 'div', seen)] : []))
  const diversions = wayOf(
    links.flatMap((each) => ('verdict' in each ? [] : [each])),
    shaken.signed.passport,
    seen.called,
  )
  if (diversions !== null) return { claim: { shaken, diversions } }
  // A diversion that does not hold says more than that the called number is another.
  return links.find((each) => 'verdict' in each) ?? say('signed for another called number')
}

/** Who calls by the SHAKEN signature among the values of Identity, as it stands there; null without one. Nothing is checked. */
export function originOf(values: readonly string[]): string | null {
  const value = values
    .slice(0, mostValues)
    .map(parseIdentity)
    .find((each) => each !== null && (each.ppt ?? 'shaken') === 'shaken')
  return value == null ? null : (decodePassport(value.token)?.passport.orig ?? null)
}

/** The diversions that lead from whom the caller called to us, the last first; null when they do not (RFC 8946 §5). */
function wayOf(links: readonly SignedClaim[], { orig, dest }: Passport, called: readonly string[]): SignedClaim[] | null {
  const way: SignedClaim[] = []
  for (let reached = called; !dest.some((number) => reached.includes(number)); ) {
    const link = links.find(
      ({ signed: { passport } }) => passport.orig === orig && passport.dest.some((number) => reached.includes(number)),
    )
    const div = link?.signed.passport.div ?? null
    if (link === undefined || div === null || way.includes(link)) return null
    way.push(link)
    reached = [div]
  }
  return way
}

/** What holds of every PASSporT, whatever it says. */
function checked(value: IdentityValue, ppt: 'shaken' | 'div', seen: Observed): SignedClaim | { verdict: Verdict } {
  if (value.alg !== 'es256') return { verdict: failed(437, 'signed by another algorithm than ES256') }
  const signed = decodePassport(value.token)
  if (signed === null) return { verdict: failed(438, 'the PASSporT is malformed') }
  const { passport } = signed
  const say = (sip: 403 | 437 | 438, why: string) => ({ verdict: failed(sip, why, passport.attest) })
  if (passport.alg !== 'ES256') return say(437, 'signed by another algorithm than ES256')
  if (passport.typ !== 'passport') return say(438, 'the token is no PASSporT')
  if (passport.ppt !== ppt) return say(438, 'the PASSporT is of another kind than the header says')
  if (passport.x5u !== value.info) return say(438, 'header and PASSporT name different certificates')
  if (!Number.isInteger(passport.iat) || Math.abs(seen.now / 1000 - passport.iat) > freshSeconds) return say(403, 'signed at another time')
  return { signed, url: value.info }
}
