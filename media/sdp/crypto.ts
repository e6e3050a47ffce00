import { type SrtpKey, type SrtpSuite, SUITES, suiteNamed } from '#media/srtp/suites.ts'
import type { Attribute } from '#media/sdp/sdp.ts'

/** One `a=crypto` line that can be served (RFC 4568 §9.1). */
export interface CryptoLine {
  tag: number
  key: SrtpKey
}

/** What a peer's `a=crypto` lines come to. */
export interface CryptoLines {
  /** Those that can be served, in the peer's order of preference (§5.1.1). */
  usable: readonly CryptoLine[]
  /** How many there are. */
  count: number
}

/** Lines beyond this are not looked at. */
const MOST_LINES = 16

/** `inline:` key and salt, then lifetime and master key identifier with its length, each of which may be missing. */
const INLINE = /^inline:([A-Za-z0-9+/]{1,128}={0,2})(?:\|(?:2\^)?\d{1,20})?(?:\|\d{1,40}:(\d{1,3}))?$/

/** Longest master key identifier (§6.1). */
const LONGEST_MKI = 128

/** Reads the `a=crypto` lines of a media description. A line that is broken, or asks for what we do not do, is left out and changes nothing for the others. */
export function cryptoLines(attributes: readonly Attribute[]): CryptoLines {
  const usable: CryptoLine[] = []
  let count = 0
  for (const { name, value } of attributes) {
    if (name !== 'crypto') continue
    if (++count > MOST_LINES) return { usable, count: MOST_LINES }
    const line = value === null ? null : readLine(value)
    if (line !== null && !usable.some(({ tag }) => tag === line.tag)) usable.push(line)
  }
  return { usable, count }
}

/** null: a line that cannot be served. */
function readLine(value: string): CryptoLine | null {
  const [tag, name, params, ...session] = value.trim().split(/[ \t]+/, 16)
  const suite = suiteNamed(name ?? '')
  const inline = INLINE.exec(params ?? '')
  if (tag === undefined || !/^\d{1,9}$/.test(tag) || suite === null || inline?.[1] === undefined) return null
  if (!session.every(isHarmless)) return null
  const bytes = Buffer.from(inline[1], 'base64')
  const { keyBytes, saltBytes } = SUITES[suite]
  const mkiBytes = Number(inline[2] ?? 0)
  if (bytes.length !== keyBytes + saltBytes || mkiBytes > LONGEST_MKI) return null
  return { tag: Number(tag), key: { suite, key: bytes.toString('base64'), ...(mkiBytes > 0 && { mkiBytes }) } }
}

/**
 * Session parameters (§6.3): a window hint changes nothing for us, and one that begins with `-` may be read over. All others would leave
 * something unprotected or derive keys anew: such a line is not taken.
 */
function isHarmless(parameter: string): boolean {
  return /^WSH=\d{1,4}$/i.test(parameter) || parameter.startsWith('-')
}

/** The line as an attribute. */
export function cryptoAttribute({ tag, key }: CryptoLine): Attribute {
  return { name: 'crypto', value: `${tag} ${key.suite} inline:${key.key}` }
}

/** What one side of ours brings to the protection of an offer or an answer. */
export interface LocalCrypto {
  /** Streams in clear may be agreed on. */
  plain: boolean
  /** Protected streams may: the signalling, which carries the keys, is private, or was said to do (RFC 4568 §7). */
  secure: boolean
  /** Our offer is of a protected stream. */
  offers: boolean
  /** In order of preference; what is not listed is neither offered nor taken. */
  suites: readonly SrtpSuite[]
  /** Random octets, base64. */
  randomKey(bytes: number): string
}

/** Suites that we offer, in that order: the one that every phone has and that costs us least, then longer keys. */
export const OFFERED_SUITES: readonly SrtpSuite[] = [
  'AES_CM_128_HMAC_SHA1_80',
  'AEAD_AES_256_GCM',
  'AEAD_AES_128_GCM',
  'AES_256_CM_HMAC_SHA1_80',
]

/** Suites that we take when they are offered: also the shorter tags. */
export const TAKEN_SUITES: readonly SrtpSuite[] = [...OFFERED_SUITES, 'AES_256_CM_HMAC_SHA1_32', 'AES_CM_128_HMAC_SHA1_32']

/** A key of ours for a suite: the one that an earlier description of ours had, so that a stream goes on under it, else a new one. */
export function ownKey(suite: SrtpSuite, previous: readonly CryptoLine[], crypto: LocalCrypto): SrtpKey {
  const before = previous.find(({ key }) => key.suite === suite)
  const { keyBytes, saltBytes } = SUITES[suite]
  return before === undefined ? { suite, key: crypto.randomKey(keyBytes + saltBytes) } : before.key
}

/** The lines of an offer (§5.1.1): those of our description before, else one for each suite. */
export function offeredLines(previous: readonly CryptoLine[], crypto: LocalCrypto): readonly CryptoLine[] {
  if (previous.length > 0) return previous
  return OFFERED_SUITES.filter((suite) => crypto.suites.includes(suite)).map((suite, i) => ({ tag: i + 1, key: ownKey(suite, [], crypto) }))
}
