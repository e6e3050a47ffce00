import type { Clock } from '#base/clock.ts'
import { type Certificates, type Found } from '#server/stir/certificates.ts'
import { type Chain, judge } from '#server/stir/chain.ts'
import { type Claim, claimOf } from '#server/stir/claim.ts'
import { failed, type Verdict } from '#server/stir/verdict.ts'

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
    const found = this.#needs.certificates.get(read.claim.url)
    return found instanceof Promise ? found.then((came) => this.#judge(read.claim, came, now)) : this.#judge(read.claim, found, now)
  }

  #judge({ signed }: Claim, found: Found, now: number): Verdict {
    if ('why' in found) return failed(436, found.why, signed.passport.attest)
    return judge(signed, found.chain, this.#needs.authorities, now)
  }
}
