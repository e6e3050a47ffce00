import { createCipheriv, createDecipheriv, type CipherGCMTypes } from 'node:crypto'
import type { SessionKeys } from '#media/srtp/key-derivation.ts'
import { E_FLAG, type PacketCipher, type Place, RTCP_CLEAR_BYTES } from '#media/srtp/packet-cipher.ts'

const TAG_BYTES = 16
const INDEX_BYTES = 4
const RTP_HEADER_BYTES = 12

/** AES in Galois/Counter mode (RFC 7714). The header is authenticated with the payload; the tag of RTCP stands before its index (§9). */
export class GcmCipher implements PacketCipher {
  readonly leastRtp = RTP_HEADER_BYTES + TAG_BYTES
  readonly leastRtcp = RTCP_CLEAR_BYTES + TAG_BYTES + INDEX_BYTES
  readonly #keys: { rtp: SessionKeys; rtcp: SessionKeys }
  readonly #algorithm: CipherGCMTypes
  readonly #iv = Buffer.alloc(12)
  /** What is authenticated with an RTCP packet: its clear header and the word with the index. */
  readonly #aad = Buffer.alloc(RTCP_CLEAR_BYTES + INDEX_BYTES)

  constructor(keys: { rtp: SessionKeys; rtcp: SessionKeys }) {
    this.#keys = keys
    this.#algorithm = keys.rtp.cipher.symmetricKeySize === 32 ? 'aes-256-gcm' : 'aes-128-gcm'
  }

  sealRtp(packet: Buffer, head: number, end: number, place: Place): number {
    return this.#seal(this.#keys.rtp, { packet, aad: packet.subarray(0, head), from: head, end }, place)
  }

  openRtp(packet: Buffer, head: number, end: number, place: Place): number {
    return this.#open(this.#keys.rtp, { packet, aad: packet.subarray(0, head), from: head, end }, place)
  }

  sealRtcp(packet: Buffer, end: number, place: Place): number {
    const word = (E_FLAG | (place.high << 16) | place.low) >>> 0
    const sealed = this.#seal(this.#keys.rtcp, { packet, aad: this.#rtcpAad(packet, word), from: RTCP_CLEAR_BYTES, end }, place)
    packet.writeUInt32BE(word, sealed)
    return sealed + INDEX_BYTES
  }

  openRtcp(packet: Buffer, end: number, place: Place): number {
    const indexAt = end - INDEX_BYTES
    const word = packet.readUInt32BE(indexAt)
    if (word >= E_FLAG) {
      return this.#open(this.#keys.rtcp, { packet, aad: this.#rtcpAad(packet, word), from: RTCP_CLEAR_BYTES, end: indexAt }, place)
    }
    // In clear: the whole packet and the index word are authenticated, nothing is encrypted (§9.3).
    const plainEnd = indexAt - TAG_BYTES
    const aad = Buffer.concat([packet.subarray(0, plainEnd), packet.subarray(indexAt, end)])
    return this.#open(this.#keys.rtcp, { packet, aad, from: plainEnd, end: indexAt }, place)
  }

  rtcpIndexAt(end: number): number {
    return end - INDEX_BYTES
  }

  #seal(keys: SessionKeys, { packet, aad, from, end }: Span, place: Place): number {
    const cipher = createCipheriv(this.#algorithm, keys.cipher, this.#fillIv(keys.salt, place))
    cipher.setAAD(aad)
    packet.set(cipher.update(packet.subarray(from, end)), from)
    cipher.final()
    packet.set(cipher.getAuthTag(), end)
    return end + TAG_BYTES
  }

  #open(keys: SessionKeys, { packet, aad, from, end }: Span, place: Place): number {
    const tagAt = end - TAG_BYTES
    const decipher = createDecipheriv(this.#algorithm, keys.cipher, this.#fillIv(keys.salt, place), { authTagLength: TAG_BYTES })
    decipher.setAAD(aad)
    decipher.setAuthTag(packet.subarray(tagAt, end))
    const plain = decipher.update(packet.subarray(from, tagAt))
    try {
      decipher.final()
    } catch {
      // The one way in which it tells that the tag is not right.
      return -1
    }
    packet.set(plain, from)
    return tagAt
  }

  /** IV = 00 00 | SSRC | ROC | SEQ, for RTCP 00 00 | SSRC | 00 00 | index, XOR salt (§8.1, §9.1). */
  #fillIv(salt: Buffer, { ssrc, high, low }: Place): Buffer {
    const iv = this.#iv
    iv[0] = salt[0] as number
    iv[1] = salt[1] as number
    iv.writeUInt32BE((salt.readUInt32BE(2) ^ ssrc) >>> 0, 2)
    iv.writeUInt32BE((salt.readUInt32BE(6) ^ high) >>> 0, 6)
    iv.writeUInt16BE(salt.readUInt16BE(10) ^ low, 10)
    return iv
  }

  #rtcpAad(packet: Buffer, word: number): Buffer {
    packet.copy(this.#aad, 0, 0, RTCP_CLEAR_BYTES)
    this.#aad.writeUInt32BE(word, RTCP_CLEAR_BYTES)
    return this.#aad
  }
}

interface Span {
  packet: Buffer
  aad: Buffer
  from: number
  end: number
}
