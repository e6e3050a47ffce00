import { isPlainRtp, isSecureRtp } from '#media/sdp/audio-stream.ts'
import { type CryptoLine, cryptoLines, type LocalCrypto, offeredLines, ownKey } from '#media/sdp/crypto.ts'
import type { MediaDescription } from '#media/sdp/sdp.ts'
import type { StreamCrypto } from '#media/srtp/suites.ts'

/** How one stream is protected. `lines`: ours, for our description. `keys` is null for a stream in clear. */
export interface Protection {
  lines: readonly CryptoLine[]
  keys: StreamCrypto | null
}

/** No protection can be agreed on, and why. */
export interface Unprotected {
  why: string
}

const IN_CLEAR: Protection = { lines: [], keys: null }

/** Nothing is said of protection: streams in clear only. */
const PLAIN_ONLY: LocalCrypto = { plain: true, secure: false, offers: false, suites: [], randomKey: () => '' }

/** The lines of our last description's audio stream, which further ones keep. */
export function linesOf(media: MediaDescription | undefined): readonly CryptoLine[] {
  return media === undefined ? [] : cryptoLines(media.attributes).usable
}

/** Profile and lines of our offer (RFC 4568 §5.1.1). */
export function offerProtection(crypto: LocalCrypto | undefined, previous: readonly CryptoLine[]): { protocol: string } & Protection {
  if (crypto?.offers !== true) return { protocol: 'RTP/AVP', ...IN_CLEAR }
  return { protocol: 'RTP/SAVP', lines: offeredLines(previous, crypto), keys: null }
}

/**
 * Answers what an offered stream says of protection (§5.1.2): the first line that we can serve is taken, with its tag. Lines under a
 * plain profile, as phones with optional encryption write them, are taken, too.
 */
export function answerProtection(
  media: MediaDescription,
  crypto: LocalCrypto = PLAIN_ONLY,
  previous: readonly CryptoLine[] = [],
): Protection | Unprotected {
  const secureProfile = isSecureRtp(media.protocol)
  if (!secureProfile && !isPlainRtp(media.protocol)) return { why: `${media.protocol} is not served here, RTP/AVP is` }
  if (secureProfile && !crypto.secure)
    return { why: `${media.protocol} is not served here: encryption is off, or its keys would come over signalling that is not encrypted` }
  const { usable, count } = cryptoLines(media.attributes)
  const offered = crypto.secure ? usable.find(({ key }) => crypto.suites.includes(key.suite)) : undefined
  if (offered !== undefined) {
    const own = ownKey(offered.key.suite, previous, crypto)
    return { lines: [{ tag: offered.tag, key: own }], keys: { send: own, receive: offered.key } }
  }
  if (secureProfile) return { why: `none of ${count} a=crypto lines can be served: here ${crypto.suites.join(', ')}` }
  return crypto.plain ? IN_CLEAR : { why: 'encryption is required here: RTP/SAVP with a=crypto, over TLS' }
}

/** What an answer says of the protection that we offered (§5.1.3): one line, with a tag and the suite of ours. */
export function acceptProtection(offer: MediaDescription, answer: MediaDescription): Protection | Unprotected {
  if (!isSecureRtp(offer.protocol)) return isPlainRtp(answer.protocol) ? IN_CLEAR : notOffered(answer)
  if (!isSecureRtp(answer.protocol)) return notOffered(answer)
  const { usable, count } = cryptoLines(answer.attributes)
  const [theirs] = usable
  const ours = cryptoLines(offer.attributes).usable.find(({ tag, key }) => tag === theirs?.tag && key.suite === theirs.key.suite)
  if (theirs === undefined || ours === undefined || count !== 1)
    return { why: `the answer has ${count} a=crypto lines, one with a tag and the suite of the offer was expected` }
  return { lines: [ours], keys: { send: ours.key, receive: theirs.key } }
}

function notOffered(answer: MediaDescription): Unprotected {
  return { why: `the answer wants ${answer.protocol}, which was not offered` }
}
