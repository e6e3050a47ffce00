import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { SUITES, type SrtpKey } from '#media/srtp/suites.ts'

/** What a derived key is for (RFC 3711 §4.3.2). */
export const LABEL = { rtpCipher: 0, rtpAuth: 1, rtpSalt: 2, rtcpCipher: 3, rtcpAuth: 4, rtcpSalt: 5 } as const

/** The keys that protect one protocol of one direction. */
export interface SessionKeys {
  cipher: KeyObject
  /** HMAC-SHA1; unused by AEAD suites. */
  auth: KeyObject
  salt: Buffer
}

const AUTH_BYTES = 20

/** AES in counter mode under the master key makes every session key (RFC 3711 §4.3.3; with 256 bits RFC 6188 §3). The key derivation rate is 0. */
export function deriveKey(master: { key: Buffer; salt: Buffer }, label: number, bytes: number): Buffer {
  const iv = Buffer.alloc(16)
  // The salt of 12 octets of AEAD suites is padded on the right (RFC 7714 §11).
  master.salt.copy(iv)
  iv.writeUInt8(iv.readUInt8(7) ^ label, 7)
  const cipher = createCipheriv(master.key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', master.key, iv)
  return cipher.update(Buffer.alloc(bytes))
}

/** The session keys of RTP and of RTCP; null when the key is not as long as its suite wants. */
export function sessionKeys({ suite, key }: SrtpKey): { rtp: SessionKeys; rtcp: SessionKeys } | null {
  const { keyBytes, saltBytes } = SUITES[suite]
  const bytes = Buffer.from(key, 'base64')
  if (bytes.length !== keyBytes + saltBytes) return null
  const master = { key: bytes.subarray(0, keyBytes), salt: bytes.subarray(keyBytes) }
  const of = (cipher: number, auth: number, salt: number): SessionKeys => ({
    cipher: createSecretKey(deriveKey(master, cipher, keyBytes)),
    auth: createSecretKey(deriveKey(master, auth, AUTH_BYTES)),
    salt: deriveKey(master, salt, saltBytes),
  })
  return { rtp: of(LABEL.rtpCipher, LABEL.rtpAuth, LABEL.rtpSalt), rtcp: of(LABEL.rtcpCipher, LABEL.rtcpAuth, LABEL.rtcpSalt) }
}
