import type { Clock } from '#base/clock.ts'
import { type Certificates, type Found } from '#server/stir/certificates.ts'
import { type Chain, judge } from '#server/stir/chain.ts'
import { claimOf, type SignedClaim } from '#server/stir/claim.ts'
import { failed, unsigned, type Verdict } from '#server/stir/verdict.ts'

export interface VerifierNeeds {
  clock: Clock
  certificates: Certificates
  /** Who may vouch for signers: the roots that an authority of the country publishes. */
  authorities: Chain
}

/** Verifies signed caller identity (RFC 8224 §6.2, ATIS-1000074). */
export class IdentityVerifier {
  #needs: VerifierNeeds

  constructor(needs: VerifierNeeds) {
    this.#needs = needs
  }

  /** At once when no certificate has to be fetched; otherwise within the bounds of a fetch. Never rejects. */
  verify(values: readonly string[], numbers: { callers: readonly string[]; called: readonly string[] }): Verdict | Promise<Verdict> {
    const now = this.#needs.clock.wall()
    const read = claimOf(values, { ...numbers, now })
    if ('verdict' in read) return read.verdict
    const { shaken, diversions } = read.claim
    const claims = [shaken, ...diversions]
    const found = claims.map(({ url }) => this.#needs.certificates.get(url))
    const verdict = (came: readonly Found[]): Verdict => together(claims.map((claim, i) => this.#judge(claim, came[i], now)))
    const known = found.flatMap((each) => (each instanceof Promise ? [] : [each]))
    return known.length === found.length ? verdict(known) : Promise.all(found.map((each) => Promise.resolve(each))).then(verdict)
  }

  #judge({ signed }: SignedClaim, found: Found | undefined, now: number): Verdict {
    if (found === undefined) return failed(436, 'no certificate was looked for', signed.passport.attest)
    if ('why' in found) return failed(436, found.why, signed.passport.attest)
    return judge(signed, found.chain, this.#needs.authorities, now)
  }
}

/** A call that was sent on is worth what the weakest of its signatures is, with the attestation of the first. */
function together(verdicts: readonly Verdict[]): Verdict {
  const [shaken = unsigned, ...diversions] = verdicts
  const weak = [shaken, ...diversions].find(({ verdict }) => verdict === 'failed') ?? diversions.find(({ verdict }) => verdict !== 'passed')
  if (shaken.verdict === 'failed' || weak === undefined || weak === shaken || !('sip' in weak)) return shaken
  return { ...weak, attestation: shaken.attestation, why: `who sent the call on: ${weak.why}` }
}
