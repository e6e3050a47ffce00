import { createPrivateKey, type KeyObject, randomUUID, sign } from 'node:crypto'
import type { Clock } from '#base/clock.ts'
import { formatIdentity } from '#sip/identity/identity-header.ts'
import { type Attestation, canonicalNumber, encodeDiversion, encodePassport } from '#sip/identity/passport.ts'
import { readChain } from '#server/stir/chain.ts'

/** What a company signs with. */
export interface SigningKey {
  /** Where verifiers find the certificate. */
  url: string
  /** The certificate and those who vouch for it, in PEM form. */
  certificate: string
  /** Its key, in PEM form. */
  privateKey: string
}

/** Signs for companies who calls whom (RFC 8224 §6.1, RFC 8588). */
export class IdentitySigner {
  #clock: Clock
  #keys = new Map<string, Key>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes up a company's key; null ends its signing. False when the key is none that ES256 can sign with. */
  configure(tenant: string, signing: SigningKey | null): boolean {
    this.#keys.delete(tenant)
    if (signing === null) return true
    const key = keyOf(signing.privateKey)
    if (key === null) return false
    this.#keys.set(tenant, { url: signing.url, key, origid: randomUUID() })
    return true
  }

  /** The headers of a signed call; none for a company that has no key or numbers that cannot be signed. Both numbers in E.164. */
  sign(tenant: string, call: { orig: string; dest: string; attest: Attestation }): (readonly [string, string])[] {
    return this.#signed(tenant, call, ({ url, origid }, numbers, iat) => ({
      ppt: 'shaken',
      token: encodePassport({ x5u: url, iat, ...numbers, attest: call.attest, origid }),
    }))
  }

  /** The headers by which a company vouches that it sent a call on from its number `by` (RFC 8946); they go beside the caller's own. */
  divert(tenant: string, call: { orig: string; dest: string; by: string }): (readonly [string, string])[] {
    const div = canonicalNumber(call.by)
    if (div === null) return []
    return this.#signed(tenant, call, ({ url }, numbers, iat) => ({
      ppt: 'div',
      token: encodeDiversion({ x5u: url, iat, ...numbers, div }),
    }))
  }

  #signed(
    tenant: string,
    call: { orig: string; dest: string },
    write: (by: Key, numbers: { orig: string; dest: string }, iat: number) => { ppt: string; token: string },
  ): (readonly [string, string])[] {
    const by = this.#keys.get(tenant)
    const orig = canonicalNumber(call.orig)
    const dest = canonicalNumber(call.dest)
    if (by === undefined || orig === null || dest === null) return []
    const wall = this.#clock.wall()
    const { ppt, token } = write(by, { orig, dest }, Math.floor(wall / 1000))
    const signature = sign('sha256', Buffer.from(token), { key: by.key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    return [
      ['Date', new Date(wall).toUTCString()],
      ['Identity', formatIdentity(`${token}.${signature}`, by.url, ppt)],
    ]
  }
}

interface Key {
  readonly url: string
  readonly key: KeyObject
  /** A name of this signer, as SHAKEN wants one. */
  readonly origid: string
}

/** Why a company could not sign with this; null when it can. The key may be hidden already: then the certificate alone is looked at. */
export function signingTrouble(certificate: string, privateKey: string | null): string | null {
  const leaf = readChain(certificate)?.[0]
  if (leaf === undefined) return 'the certificate cannot be read'
  if (leaf.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'the certificate holds no P-256 key'
  if (privateKey === null) return null
  const key = keyOf(privateKey)
  if (key === null) return 'the private key is no P-256 key in PEM form'
  return leaf.checkPrivateKey(key) ? null : 'the private key does not belong to the certificate'
}

function keyOf(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : null
  } catch {
    return null
  }
}
