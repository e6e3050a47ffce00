/** SRTP crypto suites by the names they have in SDP (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.2). */
export type SrtpSuite =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AES_256_CM_HMAC_SHA1_80'
  | 'AES_256_CM_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM'

/** The master key of one direction of a stream. Plain data: it goes to the engine and, sealed, into what a call keeps; never into a log. */
export interface SrtpKey {
  suite: SrtpSuite
  /** Master key followed by master salt, base64. */
  key: string
  /** Octets of a master key identifier in each packet of the peer (RFC 3711 §3.1), which are read over; absent: none. We send none. */
  mkiBytes?: number
}

/** Both directions of a stream: `send` is the key that we told the peer, `receive` the one that it told us. */
export interface StreamCrypto {
  send: SrtpKey
  receive: SrtpKey
}

/** What a suite is made of; lengths in octets. */
export interface SuiteTerms {
  mode: 'counter' | 'gcm'
  keyBytes: 16 | 32
  saltBytes: 12 | 14
  /** Of an RTP packet. */
  tagBytes: 4 | 10 | 16
  /** Of an RTCP packet: 80 bits also where RTP has 32 (RFC 4568 §6.2.2). */
  rtcpTagBytes: 10 | 16
}

const counter = (keyBytes: 16 | 32, tagBytes: 4 | 10): SuiteTerms => ({
  mode: 'counter',
  keyBytes,
  saltBytes: 14,
  tagBytes,
  rtcpTagBytes: 10,
})
const gcm = (keyBytes: 16 | 32): SuiteTerms => ({ mode: 'gcm', keyBytes, saltBytes: 12, tagBytes: 16, rtcpTagBytes: 16 })

export const SUITES: Readonly<Record<SrtpSuite, SuiteTerms>> = {
  AES_CM_128_HMAC_SHA1_80: counter(16, 10),
  AES_CM_128_HMAC_SHA1_32: counter(16, 4),
  AES_256_CM_HMAC_SHA1_80: counter(32, 10),
  AES_256_CM_HMAC_SHA1_32: counter(32, 4),
  AEAD_AES_128_GCM: gcm(16),
  AEAD_AES_256_GCM: gcm(32),
}

/** null for a name that is none of ours. */
export function suiteNamed(name: string): SrtpSuite | null {
  return Object.hasOwn(SUITES, name) ? (name as SrtpSuite) : null
}

/** Whether two keys are the same, so that a stream goes on under what it has. */
export function sameKey(a: SrtpKey, b: SrtpKey): boolean {
  return a.key === b.key && a.suite === b.suite && (a.mkiBytes ?? 0) === (b.mkiBytes ?? 0)
}
