import { verify, X509Certificate } from 'node:crypto'
import type { SignedPassport } from '#sip/identity/passport.ts'
import { failed, type Verdict } from '#server/stir/verdict.ts'

/** Certificates from the leaf upwards, as they were found under one URL. */
export type Chain = readonly X509Certificate[]

/** A chain of SHAKEN is leaf, intermediate, perhaps root. */
const longestChain = 5

/** Reads certificates in PEM form; null when there is none or one is malformed. Total. */
export function readChain(pem: string): Chain | null {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----/g) ?? []
  if (found.length === 0 || found.length > 500) return null
  try {
    return found.map((each) => new X509Certificate(each))
  } catch {
    return null
  }
}

/** The last word on a claim: by the certificate it was signed with, and by who vouches for that. `now`: ms since the Unix epoch. */
export function judge(signed: SignedPassport, chain: Chain, authorities: Chain, now: number): Verdict {
  const { attest } = signed.passport
  const leaf = chain[0]
  if (leaf === undefined || chain.length > longestChain) return failed(436, 'the certificate cannot be read', attest)
  if (!isCurve(leaf)) return failed(437, 'the certificate holds no P-256 key', attest)
  if (!isValidAt(leaf, now)) return failed(437, 'the certificate is not valid now', attest)
  const key = { key: leaf.publicKey, dsaEncoding: 'ieee-p1363' as const }
  if (signed.signature.length !== 64 || !verify('sha256', signed.signed, key, signed.signature))
    return failed(438, 'the signature does not fit', attest)
  if (isVouchedFor(chain, authorities, now)) return { verdict: 'passed', attestation: attest }
  return { verdict: 'unsure', attestation: attest, why: 'nobody whom we trust vouches for the certificate', sip: 437 }
}

/** Follows issuers from the leaf up to an authority of ours (RFC 5280 §6, as far as SHAKEN chains go). */
function isVouchedFor(chain: Chain, authorities: Chain, now: number): boolean {
  for (const [i, certificate] of chain.entries()) {
    if (!isValidAt(certificate, now)) return false
    if (i > 0 && !certificate.ca) return false
    if (authorities.some((each) => each.fingerprint256 === certificate.fingerprint256)) return true
    if (authorities.some((each) => isValidAt(each, now) && isIssuer(each, certificate))) return true
    const next = chain[i + 1]
    if (next === undefined || !isIssuer(next, certificate)) return false
  }
  return false
}

function isIssuer(issuer: X509Certificate, of: X509Certificate): boolean {
  return issuer.ca && of.checkIssued(issuer) && of.verify(issuer.publicKey)
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime()
}

function isCurve(certificate: X509Certificate): boolean {
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1'
}
