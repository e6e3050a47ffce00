/** How sure the signer is that the caller may show this number: fully, of the customer alone, of neither (RFC 8588 §4). */
export type Attestation = 'A' | 'B' | 'C'

/** What a PASSporT of SHAKEN says (RFC 8225 §5, RFC 8588 §5). Numbers are in canonical form (RFC 8224 §8.3): digits, no plus. */
export interface Passport {
  readonly alg: string
  readonly typ: string
  readonly ppt: string | null
  /** Where the certificate is. */
  readonly x5u: string
  /** Seconds since the Unix epoch. */
  readonly iat: number
  /** The number of the caller; null when the PASSporT names a URI. */
  readonly orig: string | null
  /** The numbers called. */
  readonly dest: readonly string[]
  readonly attest: Attestation | null
  readonly origid: string | null
  /** Of a `div` PASSporT (RFC 8946): the number that the call was meant for before it was sent on; null in others. */
  readonly div: string | null
}

/** A PASSporT as it came: what is said, over what it was signed, and the signature (R and S, 64 octets for ES256). */
export interface SignedPassport {
  readonly passport: Passport
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** What every PASSporT of ours says. */
interface Claims {
  readonly x5u: string
  readonly iat: number
  readonly orig: string
  readonly dest: string
}

/** The part of a SHAKEN PASSporT that is signed: keys in lexicographic order, without blanks (RFC 8225 §9). The signature follows behind a dot. */
export function encodePassport({ x5u, iat, orig, dest, attest, origid }: Claims & { attest: Attestation; origid: string }): string {
  const payload = { attest, dest: { tn: [dest] }, iat, orig: { tn: orig }, origid }
  return `${encode({ alg: 'ES256', ppt: 'shaken', typ: 'passport', x5u })}.${encode(payload)}`
}

/** The same of a call that is sent on from `div` to `dest` (RFC 8946 §3). */
export function encodeDiversion({ x5u, iat, orig, dest, div }: Claims & { div: string }): string {
  const payload = { dest: { tn: [dest] }, div: { tn: div }, iat, orig: { tn: orig } }
  return `${encode({ alg: 'ES256', ppt: 'div', typ: 'passport', x5u })}.${encode(payload)}`
}

/** Reads a full PASSporT; null when a part is missing or is not what RFC 8225 says. Compact ones are null: SHAKEN sends the full form (RFC 8588 §8). Total. */
export function decodePassport(token: string): SignedPassport | null {
  const [head = '', body = '', tail = '', ...more] = token.split('.')
  if (head === '' || body === '' || tail === '' || more.length > 0) return null
  const header = decode(head)
  const payload = decode(body)
  if (header === null || payload === null) return null
  const [alg, typ, x5u, iat] = [header['alg'], header['typ'], header['x5u'], payload['iat']]
  if (typeof alg !== 'string' || typeof typ !== 'string' || typeof x5u !== 'string' || typeof iat !== 'number') return null
  const passport: Passport = {
    alg,
    typ,
    x5u,
    iat,
    ppt: textOf(header['ppt']),
    orig: numberOf(payload['orig']),
    dest: numbersOf(payload['dest']),
    attest: attestationOf(payload['attest']),
    origid: textOf(payload['origid']),
    div: numberOf(payload['div']),
  }
  return { passport, signed: Buffer.from(`${head}.${body}`, 'ascii'), signature: Buffer.from(tail, 'base64url') }
}

/** A number as PASSporTs write it (RFC 8224 §8.3): digits, `*` and `#` only; null when nothing is left. */
export function canonicalNumber(number: string): string | null {
  const digits = number.replace(/[^0-9*#]/g, '')
  return digits === '' ? null : digits
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function attestationOf(value: unknown): Attestation | null {
  return value === 'A' || value === 'B' || value === 'C' ? value : null
}

function numberOf(value: unknown): string | null {
  return numbersOf(value)[0] ?? null
}

/** `{"tn": "..."}` or `{"tn": ["...", ...]}`. */
function numbersOf(value: unknown): string[] {
  const tn = isObject(value) ? value['tn'] : undefined
  const all: readonly unknown[] = Array.isArray(tn) ? tn : [tn]
  return all.filter((each) => typeof each === 'string').flatMap((each) => canonicalNumber(each) ?? [])
}
