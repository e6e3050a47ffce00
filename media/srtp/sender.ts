import { headerEnd, openCipher } from '#media/srtp/open-cipher.ts'
import type { PacketCipher, Place } from '#media/srtp/packet-cipher.ts'
import { PacketIndex } from '#media/srtp/packet-index.ts'
import { LONGEST_PACKET, nextSealScratch } from '#media/srtp/scratch.ts'
import { sameKey, type SrtpKey } from '#media/srtp/suites.ts'

/** RTCP packets under one master key (RFC 3711 §9.2: at most 2^31). */
const MOST_RTCP = 0x7fff_ffff

/**
 * Protects what we send under one master key. Never uses an index of an SSRC twice: under counter mode that would give both packets away
 * (RFC 3711 §9.1), so a second packet of the same number is not sent.
 */
export class SrtpSender {
  readonly key: SrtpKey
  /** Packets that could not be protected, and were not sent. */
  unsendable = 0
  readonly #cipher: PacketCipher
  #index: PacketIndex | null = null
  #rtcpIndex = 0
  readonly #place: Place = { ssrc: 0, high: 0, low: 0 }

  private constructor(key: SrtpKey, cipher: PacketCipher) {
    this.key = key
    this.#cipher = cipher
  }

  /** null when the key is not as long as its suite wants. */
  static open(key: SrtpKey): SrtpSender | null {
    const cipher = openCipher(key)
    return cipher === null ? null : new SrtpSender(key, cipher)
  }

  is(key: SrtpKey): boolean {
    return sameKey(this.key, key)
  }

  /** The RTP packet in [from, to), protected, in a buffer of our own that is used again soon; null: not to be sent. */
  protect(packet: Buffer, from: number, to: number): Buffer | null {
    const length = to - from
    const place = this.#place
    const ssrc = packet.readUInt32BE(from + 8)
    const sequence = packet.readUInt16BE(from + 2)
    let index = this.#index
    if (index === null || index.ssrc !== ssrc) this.#index = index = new PacketIndex(ssrc)
    const roc = index.guess(sequence)
    if (length > LONGEST_PACKET || roc < 0 || !index.isNew(roc, sequence)) return this.#refuse()
    const sealed = nextSealScratch()
    packet.copy(sealed, 0, from, to)
    const head = headerEnd(sealed, length)
    if (head < 0) return this.#refuse()
    index.note(roc, sequence)
    place.ssrc = ssrc
    place.high = roc
    place.low = sequence
    return sealed.subarray(0, this.#cipher.sealRtp(sealed, head, length, place))
  }

  /** A compound RTCP packet, protected; null: not to be sent. */
  protectRtcp(packet: Buffer): Buffer | null {
    if (packet.length > LONGEST_PACKET || packet.length < 8 || this.#rtcpIndex >= MOST_RTCP) return this.#refuse()
    const index = this.#rtcpIndex++
    const place = this.#place
    place.ssrc = packet.readUInt32BE(4)
    place.high = index >>> 16
    place.low = index & 0xffff
    const sealed = nextSealScratch()
    packet.copy(sealed)
    return sealed.subarray(0, this.#cipher.sealRtcp(sealed, packet.length, place))
  }

  #refuse(): null {
    this.unsendable++
    return null
  }
}
