import { HmacSha1 } from '#media/srtp/hmac-sha1.ts'
import type { SessionKeys } from '#media/srtp/key-derivation.ts'
import { KeyStream } from '#media/srtp/key-stream.ts'
import { E_FLAG, type PacketCipher, type Place, RTCP_CLEAR_BYTES } from '#media/srtp/packet-cipher.ts'
import type { SuiteTerms } from '#media/srtp/suites.ts'

const ROC_BYTES = 4
const INDEX_BYTES = 4
const RTP_HEADER_BYTES = 12

/** AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1; 256 bits: RFC 6188). */
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

/** One protocol's key stream and tags. */
class Half {
  readonly tagBytes: number
  readonly #stream: KeyStream
  readonly #auth: HmacSha1
  readonly #tag: Buffer

  constructor(keys: SessionKeys, tagBytes: number) {
    this.tagBytes = tagBytes
    this.#stream = new KeyStream(keys)
    this.#auth = new HmacSha1(keys.auth)
    this.#tag = Buffer.alloc(tagBytes)
  }

  /** Encrypts or decrypts [from, to): the same in counter mode. */
  crypt(packet: Buffer, from: number, to: number, place: Place): void {
    if (to > from) this.#stream.apply(packet, from, to, place)
  }

  /** Writes the tag of [0, to) at `at`; where it ends. */
  writeTag(packet: Buffer, to: number, at: number): number {
    const digest = this.#auth.of(packet, to)
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
    const digest = this.#auth.of(packet, to)
    let difference = 0
    for (let i = 0; i < this.tagBytes; i++) difference |= (digest[i] as number) ^ (this.#tag[i] as number)
    return difference === 0
  }
}
