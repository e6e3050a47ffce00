import { headerEnd, openCipher } from '#media/srtp/open-cipher.ts'
import type { PacketCipher, Place } from '#media/srtp/packet-cipher.ts'
import { PacketIndex } from '#media/srtp/packet-index.ts'
import { ReplayWindow } from '#media/srtp/replay-window.ts'
import { sameKey, SUITES, type SrtpKey } from '#media/srtp/suites.ts'

/** Where a stream of the peer was, for an engine or a key that has to go on with it: nothing in a packet tells the rollover counter. */
export interface KeptRollover {
  ssrc: number
  roc: number
}

/** Sources of the peer whose indices are remembered: a phone changes its SSRC now and then and keeps its key. The oldest is forgotten. */
const MOST_SOURCES = 4

/** A stream that is met in the middle, its rollover counter unknown, is looked for under so many (each is 22 minutes of a call at 50 packets a second). */
const SEARCHED_ROLLOVERS = 24

/** Why a packet was not taken. */
export type SrtpFault = 'short' | 'replayed' | 'bad-tag'

/**
 * Opens what a peer protected under one master key. Nothing of a packet is believed, and no state changes, before its tag is right; what
 * is dropped is counted by its reason.
 */
export class SrtpReceiver {
  readonly key: SrtpKey
  badTags = 0
  replays = 0
  /** Why the last packet that was not taken was not. */
  fault: SrtpFault = 'short'
  readonly #cipher: PacketCipher
  readonly #kept: readonly KeptRollover[]
  /** The source heard last comes first. */
  #sources: PacketIndex[] = []
  #rtcpWindows: { ssrc: number; window: ReplayWindow }[] = []
  readonly #place: Place = { ssrc: 0, high: 0, low: 0 }
  #rolledOver: KeptRollover | null = null

  private constructor(key: SrtpKey, cipher: PacketCipher, kept: readonly KeptRollover[]) {
    this.key = key
    this.#cipher = cipher
    this.#kept = kept
  }

  /** `kept`: streams that have been going on, in an engine that died or under another key. null when the key is not as long as its suite wants. */
  static open(key: SrtpKey, kept: readonly KeptRollover[] = []): SrtpReceiver | null {
    const cipher = openCipher(key)
    return cipher === null ? null : new SrtpReceiver(key, cipher, kept)
  }

  is(key: SrtpKey): boolean {
    return sameKey(this.key, key)
  }

  /** Whether a packet was authentic under this key. */
  get begun(): boolean {
    return this.#sources.length > 0
  }

  /** Where each source is, the one heard last first, and those are that were not heard under this key: music of a hold may come in between. Those at 0 are left out. */
  get rollovers(): readonly KeptRollover[] {
    const unheard = this.#kept.filter(({ ssrc, roc }) => roc !== 0 && !this.#sources.some((source) => source.ssrc === ssrc))
    const heard = this.#sources.filter(({ roc }) => roc !== 0).map(({ ssrc, roc }) => ({ ssrc, roc }))
    return [...heard, ...unheard].slice(0, MOST_SOURCES)
  }

  /** The rollover counter changed since last asked: to be kept. */
  takeRollover(): KeptRollover | null {
    const kept = this.#rolledOver
    this.#rolledOver = null
    return kept
  }

  /** Opens an RTP packet in place; the end of what is plain in it, or -1 (see `fault`). */
  unprotect(packet: Buffer): number {
    let end = packet.length
    if (end < this.#cipher.leastRtp || ((packet[0] as number) & 0xc0) !== 0x80) return this.#refuse('short')
    end = this.#cutMki(packet, end, SUITES[this.key.suite].tagBytes)
    const head = end < this.#cipher.leastRtp ? -1 : headerEnd(packet, end - this.#cipher.leastRtp + 12)
    if (head < 0) return this.#refuse('short')
    const ssrc = packet.readUInt32BE(8)
    const sequence = packet.readUInt16BE(2)
    const source = this.#sourceOf(ssrc)
    if (source === null) return this.#begin(packet, { head, end, ssrc, sequence })
    const roc = source.guess(sequence)
    if (roc < 0 || !source.isNew(roc, sequence)) return this.#refuse('replayed')
    const opened = this.#open(packet, { head, end, ssrc, sequence }, roc)
    if (opened < 0) return this.#refuse('bad-tag')
    if (source.note(roc, sequence)) this.#rolledOver = { ssrc, roc }
    return opened
  }

  /** Opens a compound RTCP packet in place; the end of what is plain in it, or -1. */
  unprotectRtcp(packet: Buffer): number {
    let end = packet.length
    const cipher = this.#cipher
    if (end < cipher.leastRtcp) return this.#refuse('short')
    end = this.#cutMki(packet, end, SUITES[this.key.suite].rtcpTagBytes)
    if (end < cipher.leastRtcp) return this.#refuse('short')
    const place = this.#place
    const index = packet.readUInt32BE(cipher.rtcpIndexAt(end)) & 0x7fff_ffff
    place.ssrc = packet.readUInt32BE(4)
    place.high = index >>> 16
    place.low = index & 0xffff
    const known = this.#rtcpWindows.find(({ ssrc }) => ssrc === place.ssrc)
    if (known?.window.isNew(index) === false) return this.#refuse('replayed')
    const opened = cipher.openRtcp(packet, end, place)
    if (opened < 0) return this.#refuse('bad-tag')
    const window = known?.window ?? new ReplayWindow()
    window.note(index)
    if (known === undefined) this.#rtcpWindows = [{ ssrc: place.ssrc, window }, ...this.#rtcpWindows].slice(0, MOST_SOURCES)
    return opened
  }

  /** The master key identifier stands before an HMAC tag (RFC 3711 §3.1) and behind an AEAD one (RFC 7714 §8.1): it is taken out. */
  #cutMki(packet: Buffer, end: number, tagBytes: number): number {
    const { mkiBytes = 0, suite } = this.key
    if (mkiBytes === 0 || end < mkiBytes + tagBytes) return end
    if (SUITES[suite].mode === 'counter') packet.copyWithin(end - tagBytes - mkiBytes, end - tagBytes, end)
    return end - mkiBytes
  }

  #sourceOf(ssrc: number): PacketIndex | null {
    const first = this.#sources[0]
    if (first === undefined || first.ssrc === ssrc) return first ?? null
    const at = this.#sources.findIndex((each) => each.ssrc === ssrc)
    const found = this.#sources[at]
    if (found === undefined) return null
    this.#sources.splice(at, 1)
    this.#sources.unshift(found)
    return found
  }

  /** The first packet of a source: it begins at rollover 0 or soon after its first wrap, or goes on from where it was in an engine that died or under the key before. */
  #begin(packet: Buffer, span: Span): number {
    const { ssrc, sequence } = span
    for (const roc of this.#firstRollovers(ssrc)) {
      const opened = this.#open(packet, span, roc)
      if (opened < 0) continue
      const source = new PacketIndex(ssrc, roc)
      source.note(roc, sequence)
      this.#sources = [source, ...this.#sources].slice(0, MOST_SOURCES)
      if (roc !== 0) this.#rolledOver = { ssrc, roc }
      return opened
    }
    return this.#refuse('bad-tag')
  }

  #firstRollovers(ssrc: number): readonly number[] {
    const kept = this.#kept.find((each) => each.ssrc === ssrc)
    if (kept === undefined && (this.begun || this.#kept.length === 0)) return START
    const likely = kept?.roc ?? 0
    return [likely, likely + 1, ...SEARCH.filter((roc) => roc !== likely && roc !== likely + 1)]
  }

  #open(packet: Buffer, { head, end, ssrc, sequence }: Span, roc: number): number {
    const place = this.#place
    place.ssrc = ssrc
    place.high = roc
    place.low = sequence
    return this.#cipher.openRtp(packet, head, end, place)
  }

  #refuse(fault: SrtpFault): -1 {
    this.fault = fault
    if (fault === 'bad-tag') this.badTags++
    else if (fault === 'replayed') this.replays++
    return -1
  }
}

interface Span {
  head: number
  end: number
  ssrc: number
  sequence: number
}

/** Of a stream of which nothing is known: it may have wrapped before its first packet that comes, having begun just below, or while an engine was replaced. */
const START: readonly number[] = [0, 1]
const SEARCH: readonly number[] = Array.from({ length: SEARCHED_ROLLOVERS }, (_, roc) => roc)
