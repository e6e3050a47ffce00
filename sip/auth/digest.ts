import { hash } from 'node:crypto'

/** Digest arithmetic (RFC 7616 §3.4, RFC 8760): values in, lower-case hexadecimal out. No state, no policy. */

/** Hash functions by their `algorithm` token without `-sess`. */
export type HashAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256'

const OPENSSL: Record<HashAlgorithm, string> = { MD5: 'md5', 'SHA-256': 'sha256', 'SHA-512-256': 'sha512-256' }

/** Hexadecimal digits of a digest. */
export const DIGEST_LENGTH: Record<HashAlgorithm, number> = { MD5: 32, 'SHA-256': 64, 'SHA-512-256': 64 }

/** H(data) in lower-case hexadecimal; text is hashed as UTF-8. */
export function digest(algorithm: HashAlgorithm, data: string | Uint8Array): string {
  return hash(OPENSSL[algorithm], data, 'hex')
}

/** H(user:realm:password): what a server keeps instead of the password (RFC 7616 §3.4.2). */
export function ha1(algorithm: HashAlgorithm, user: string, realm: string, password: string): string {
  return digest(algorithm, `${user}:${realm}:${password}`)
}

/** H(method:uri), `ha2` of RFC 7616 §3.4.3: what is asked for. */
export function requestHash(algorithm: HashAlgorithm, method: string, uri: string): string {
  return digest(algorithm, `${method}:${uri}`)
}

/** What a response is computed over. */
export interface DigestInput {
  algorithm: HashAlgorithm
  /** `-sess` variant: the session key is derived from the first nonce and cnonce. */
  sess?: boolean
  ha1: string
  nonce: string
  method: string
  /** The `uri` parameter as sent. */
  uri: string
  /** `requestHash` of method and uri, where it is known already. */
  ha2?: string
  /** Absent: the reckoning of RFC 2069, for servers that offer no qop. */
  qop?: { kind: 'auth' | 'auth-int'; nc: string; cnonce: string; body?: Uint8Array } | undefined
}

/** The `response` parameter (RFC 7616 §3.4.1; RFC 2069 without qop, as RFC 3261 §22.4 keeps it). */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, qop } = input
  const key = input.sess === true && qop !== undefined ? digest(algorithm, `${input.ha1}:${nonce}:${qop.cnonce}`) : input.ha1
  if (qop === undefined) return digest(algorithm, `${key}:${nonce}:${ha2Of(input)}`)
  const ha2 =
    qop.kind === 'auth-int'
      ? digest(algorithm, `${input.method}:${input.uri}:${digest(algorithm, qop.body ?? new Uint8Array(0))}`)
      : ha2Of(input)
  return digest(algorithm, `${key}:${nonce}:${qop.nc}:${qop.cnonce}:${qop.kind}:${ha2}`)
}

function ha2Of({ algorithm, method, uri, ha2 }: DigestInput): string {
  return ha2 ?? requestHash(algorithm, method, uri)
}
