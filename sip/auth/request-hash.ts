import { flatText } from '#base/flat-text.ts'
import type { DigestAlgorithm } from '#sip/agent.ts'
import { requestHash } from '#sip/auth/digest.ts'

/** Of each algorithm; a company needs one, or one for each way its phones write its domain. */
const MOST = 64
const LONGEST = 256

/**
 * What phones prove to want, hashed: the same for all phones of a company when they register, so that it is kept. Whom somebody calls is not:
 * the time of an answer would tell others. Nor does who registers matter: it is the same for who exists and who does not.
 */
export class RequestHashes {
  readonly #known: Readonly<Record<DigestAlgorithm, Map<string, string>>> = { MD5: new Map(), 'SHA-256': new Map() }

  of(algorithm: DigestAlgorithm, method: string, uri: string): string {
    if (method !== 'REGISTER' || uri.length > LONGEST) return requestHash(algorithm, method, uri)
    const known = this.#known[algorithm]
    const before = known.get(uri)
    if (before !== undefined) return before
    const hash = requestHash(algorithm, method, uri)
    if (known.size >= MOST) known.clear()
    known.set(flatText(uri), hash)
    return hash
  }
}
