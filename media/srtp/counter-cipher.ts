import { type Cipheriv, createCipheriv, createHmac, type KeyObject } from 'node:crypto'
import type { SessionKeys } from '#media/srtp/key-derivation.ts'
import { E_FLAG, type PacketCipher, type Place, RTCP_CLEAR_BYTES } from '#media/srtp/packet-cipher.ts'
import { LONGEST_PACKET } from '#media/srtp/scratch.ts'
import type { SuiteTerms } from '#media/srtp/suites.ts'

const BLOCK = 16
const ROC_BYTES = 4
const INDEX_BYTES = 4
const RTP_HEADER_BYTES = 12

/**
 * AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1; 256 bits: RFC 6188).
 *
 * The key stream is made by one cipher object in ECB mode that encrypts the counter blocks: making a new one in counter mode for
 * each packet costs twice as much.
 */
export class CounterCipher implements PacketCipher {
  readonly leastRtp: number
  readonly leastRtcp: number
  readonly #rtp: Half
  readonly #rtcp: Half

  constructor(keys: { rtp: SessionKeys; rtcp: SessionKeys }, terms: SuiteTerms) {
    this.#rtp = new Half(keys.rtp, terms.tagBytes)
    this.#rtcp = new Half(keys.rtcp, terms.rtcpTagBytes)
    this.leastRtp = RTP_HEADER_BYTES + terms.tagBytes
    this.leastRtcp = RTCP_CLEAR_BYTES + INDEX_BYTES + terms.rtcpTagBytes
  }

  sealRtp(packet: Buffer, head: number, end: number, place: Place): number {
    const half = this.#rtp
    half.crypt(packet, head, end, place)
    // The rollover counter is authenticated and not sent: the tag is written over it.
    packet.writeUInt32BE(place.high >>> 0, end)
    return half.writeTag(packet, end + ROC_BYTES, end)
  }

  openRtp(packet: Buffer, head: number, end: number, place: Place): number {
    const half = this.#rtp
    const tagAt = end - half.tagBytes
    half.readTag(packet, tagAt)
    packet.writeUInt32BE(place.high >>> 0, tagAt)
    if (!half.isTag(packet, tagAt + ROC_BYTES)) {
      half.restoreTag(packet, tagAt)
      return -1
    }
    half.crypt(packet, head, tagAt, place)
    return tagAt
  }

  sealRtcp(packet: Buffer, end: number, place: Place): number {
    const half = this.#rtcp
    half.crypt(packet, RTCP_CLEAR_BYTES, end, place)
    packet.writeUInt32BE((E_FLAG | (place.high << 16) | place.low) >>> 0, end)
    return half.writeTag(packet, end + INDEX_BYTES, end + INDEX_BYTES)
  }

  openRtcp(packet: Buffer, end: number, place: Place): number {
    const half = this.#rtcp
    const tagAt = end - half.tagBytes
    half.readTag(packet, tagAt)
    if (!half.isTag(packet, tagAt)) return -1
    const indexAt = tagAt - INDEX_BYTES
    if (packet.readUInt8(indexAt) >= 0x80) half.crypt(packet, RTCP_CLEAR_BYTES, indexAt, place)
    return indexAt
  }

  rtcpIndexAt(end: number): number {
    return end - this.#rtcp.tagBytes - INDEX_BYTES
  }
}

/** One protocol's cipher, key stream and tags. */
class Half {
  readonly tagBytes: number
  readonly #cipher: Cipheriv
  readonly #auth: KeyObject
  readonly #salt: Buffer
  readonly #tag: Buffer
  /** Counter blocks: the last two octets of each are its number, for good; what goes before is the packet's. */
  readonly #blocks: Buffer
  readonly #words: Uint32Array

  constructor(keys: SessionKeys, tagBytes: number) {
    this.tagBytes = tagBytes
    this.#cipher = createCipheriv(keys.cipher.symmetricKeySize === 32 ? 'aes-256-ecb' : 'aes-128-ecb', keys.cipher, null).setAutoPadding(
      false,
    )
    this.#auth = keys.auth
    this.#salt = keys.salt
    this.#tag = Buffer.alloc(tagBytes)
    const most = Math.ceil(LONGEST_PACKET / BLOCK)
    this.#blocks = Buffer.from(new ArrayBuffer(most * BLOCK))
    this.#words = new Uint32Array(this.#blocks.buffer)
    for (let n = 0; n < most; n++) this.#blocks.writeUInt16BE(n, n * BLOCK + 14)
  }

  /** Encrypts or decrypts [from, to): the same in counter mode. */
  crypt(packet: Buffer, from: number, to: number, place: Place): void {
    const count = Math.ceil((to - from) / BLOCK)
    if (count <= 0) return
    this.#fill(count, place)
    const stream = this.#cipher.update(this.#blocks.subarray(0, count * BLOCK))
    for (let i = from, k = 0; i < to; i++, k++) packet[i] = (packet[i] as number) ^ (stream[k] as number)
  }

  /** IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16 (RFC 3711 §4.1.1). */
  #fill(count: number, { ssrc, high, low }: Place): void {
    const blocks = this.#blocks
    const salt = this.#salt
    const words = this.#words
    blocks.writeUInt32BE(salt.readUInt32BE(0), 0)
    blocks.writeUInt32BE((salt.readUInt32BE(4) ^ ssrc) >>> 0, 4)
    blocks.writeUInt32BE((salt.readUInt32BE(8) ^ high) >>> 0, 8)
    const [first, second] = [(salt[12] as number) ^ (low >> 8), (salt[13] as number) ^ (low & 0xff)]
    const [a, b, c] = [words[0] as number, words[1] as number, words[2] as number]
    blocks[12] = first
    blocks[13] = second
    for (let n = 1; n < count; n++) {
      words[n * 4] = a
      words[n * 4 + 1] = b
      words[n * 4 + 2] = c
      blocks[n * BLOCK + 12] = first
      blocks[n * BLOCK + 13] = second
    }
  }

  /** Writes the tag of [0, to) at `at`; where it ends. */
  writeTag(packet: Buffer, to: number, at: number): number {
    const digest = this.#digest(packet, to)
    for (let i = 0; i < this.tagBytes; i++) packet[at + i] = digest[i] as number
    return at + this.tagBytes
  }

  readTag(packet: Buffer, at: number): void {
    for (let i = 0; i < this.tagBytes; i++) this.#tag[i] = packet[at + i] as number
  }

  restoreTag(packet: Buffer, at: number): void {
    for (let i = 0; i < this.tagBytes; i++) packet[at + i] = this.#tag[i] as number
  }

  /** Whether the tag read last is that of [0, to); takes as long whatever differs. */
  isTag(packet: Buffer, to: number): boolean {
    const digest = this.#digest(packet, to)
    let difference = 0
    for (let i = 0; i < this.tagBytes; i++) difference |= (digest[i] as number) ^ (this.#tag[i] as number)
    return difference === 0
  }

  #digest(packet: Buffer, to: number): Buffer {
    return createHmac('sha1', this.#auth).update(packet.subarray(0, to)).digest()
  }
}
