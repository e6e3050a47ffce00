import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import { G711_PER_MS, isG711, SILENCE, transcodeInPlace } from '#media/codec/g711.ts'
import type { Codec, SocketAddress, StreamParams } from '#media/engine.ts'
import { sends } from '#media/engine/stream.ts'
import type { Secrecy } from '#media/pipeline/secrecy.ts'
import type { Tap } from '#media/pipeline/tap.ts'
import { RTP_HEADER_BYTES, type RtpHeader } from '#media/rtp/header.ts'
import { OutgoingStream } from '#media/rtp/outgoing.ts'
import { nextScratch } from '#media/rtp/scratch.ts'
import type { PacketSocket } from '#media/socket/socket.ts'

/** A stream with nothing to say sends a packet of silence so often, to keep NAT bindings and the peer's patience (RFC 6263). */
const KEEP_ALIVE_MS: Millis = 5000

/**
 * First sequence numbers are below this. A peer that misses our first packets, the wrap among them, would not know our rollover counter
 * (RFC 3711 §3.3.1, which recommends the lower half); here it has eleven minutes to hear one.
 */
const FIRST_SEQUENCES = 2 ** 15

/** Where the first values of a stream come from: they are random (RFC 3550 §5.1). */
export interface Chance {
  /** A uniform integer in [0, limit). */
  below(limit: number): number
}

/**
 * The way out: everything that the peer hears from us leaves here, in the one stream it knows us by.
 *
 *     the joined party's packet --> other codec's bytes, if need be --.
 *     what we generate ----------------------------------------------+--> our numbering --> recordings --> SRTP --> socket
 */
export class Sender {
  outgoing: OutgoingStream
  /** Packets of streams before this one, which had another clock and thus another SSRC. */
  packetsBefore = 0
  /** What the peer last reported to lose, in percent. */
  reportedLossPercent = 0
  stream: StreamParams | null = null
  target: SocketAddress | null = null
  /** What the joined party says may go out: there is somewhere to send, we send, and nothing of our own is being sent. */
  #relays = false
  #socket: PacketSocket | null = null
  readonly #tap: Tap
  readonly #secrecy: Secrecy
  readonly #chance: Chance
  #sends = false
  #generates = false

  constructor(tap: Tap, secrecy: Secrecy, chance: Chance) {
    this.#tap = tap
    this.#secrecy = secrecy
    this.#chance = chance
    this.outgoing = this.#begin()
  }

  /** The joined party's audio, as it came: payload untouched when both have the same codec, through a table when they have the two laws of G.711. */
  forward(packet: Buffer, header: RtpHeader, codec: Codec, source: object): void {
    const stream = this.stream
    if (stream === null || !this.#relays) return
    const { payloadEnd, payloadStart } = header
    if (codec !== stream.codec && isG711(codec) && isG711(stream.codec))
      transcodeInPlace(codec, stream.codec, packet.subarray(payloadStart, payloadEnd))
    const at = this.outgoing.forward(packet, header, source, stream.payloadType)
    if (at < 0) return
    if (this.#tap.isOpen) {
      const timestamp = packet.readUInt32BE(at + 4)
      const payload = packet.subarray(payloadStart, payloadEnd)
      this.#tap.frame({ speaker: 1, at: header.arrivedAt, timestamp, codec: stream.codec, payload })
    }
    this.#send(packet, at, payloadEnd)
  }

  /** The joined party's telephone-event or comfort noise, under our payload type for it; swallowed where the peer has none. */
  forwardOther(packet: Buffer, header: RtpHeader, payloadType: number | null, source: object): void {
    if (this.stream === null || !this.#relays) return
    if (payloadType === null) {
      this.outgoing.swallow(source)
      return
    }
    const at = this.outgoing.forward(packet, header, source, payloadType)
    if (at >= 0) this.#send(packet, at, header.payloadEnd)
  }

  /** Whether what is generated now would leave. */
  get canSend(): boolean {
    return this.target !== null && this.#sends
  }

  /** What the joined party says may leave now. */
  get relays(): boolean {
    return this.#relays
  }

  /** Sends generated audio: so many octets of the stream's codec, for so long, in `packet` behind the room for a header. */
  sendAudio(packet: Buffer, stream: StreamParams, payload: { bytes: number; ms: Millis }, now: Millis): void {
    const payloadBytes = payload.bytes
    const end = RTP_HEADER_BYTES + payloadBytes
    const timestamp = this.outgoing.generate(now)
    this.outgoing.stamp(packet, { payloadType: stream.payloadType, timestamp, payloadBytes }, now)
    this.outgoing.advance((payload.ms * this.outgoing.clockHz) / 1000)
    if (this.#tap.isOpen)
      this.#tap.frame({ speaker: 1, at: now, timestamp, codec: stream.codec, payload: packet.subarray(RTP_HEADER_BYTES, end) })
    this.#send(packet, 0, end)
  }

  /** Generated time passes without a packet. */
  passTime(ms: Millis, now: Millis): void {
    this.outgoing.generate(now)
    this.outgoing.advance((ms * this.outgoing.clockHz) / 1000)
  }

  /** Sends a packet that is no audio, with a timestamp of its own. */
  sendEvent(payload: Uint8Array, event: { payloadType: number; marker: boolean; timestamp: number }, now: Millis): void {
    const packet = nextScratch()
    packet.set(payload, RTP_HEADER_BYTES)
    const { payloadType, marker, timestamp } = event
    this.outgoing.stamp(packet, { payloadType, marker, timestamp, payloadBytes: payload.length }, now)
    this.#send(packet, 0, RTP_HEADER_BYTES + payload.length)
  }

  #send(packet: Buffer, from: number, to: number): void {
    if (this.#socket === null || this.target === null) return
    if (this.#secrecy.isOff) {
      this.#socket.send(from === 0 && to === packet.length ? packet : packet.subarray(from, to), this.target)
      return
    }
    const sealed = this.#secrecy.seal(packet, from, to)
    if (sealed !== null) this.#socket.send(sealed, this.target)
  }

  /** Our own audio is being sent, or about to be: the joined party is not heard meanwhile. */
  set generates(generates: boolean) {
    this.#generates = generates
    if (!generates) this.outgoing.pause()
    this.#refresh()
  }

  /** The joined party has left. */
  parted(): void {
    this.outgoing.interrupt()
  }

  attach(socket: PacketSocket | null): void {
    this.#socket = socket
  }

  aim(stream: StreamParams | null): void {
    this.stream = stream
    if (stream !== null) this.#setClock(CODEC_TERMS[stream.codec].clockHz)
    this.#sends = stream !== null && sends(stream)
    this.#refresh()
  }

  /** Another clock is another stream (RFC 7160 §4.1: a new SSRC). */
  #setClock(clockHz: number): void {
    if (clockHz === this.outgoing.clockHz) return
    this.packetsBefore += this.outgoing.packets
    this.outgoing = this.#begin(clockHz)
  }

  #begin(clockHz?: number): OutgoingStream {
    const chance = this.#chance
    const start = { ssrc: chance.below(2 ** 32), sequence: chance.below(FIRST_SEQUENCES), timestamp: chance.below(2 ** 32) }
    return new OutgoingStream(start, clockHz)
  }

  sendTo(target: SocketAddress | null): void {
    this.target = target
    this.#refresh()
  }

  #refresh(): void {
    this.#relays = this.target !== null && this.#sends && !this.#generates
    if (!this.#relays) this.outgoing.interrupt()
  }

  /** When `housekeep` has something to do, unless more is sent. */
  get dueAt(): Millis {
    return this.#relays ? this.outgoing.lastAt + KEEP_ALIVE_MS : Number.POSITIVE_INFINITY
  }

  /** Keeps the way to the peer open while nothing is sent. To be called when it is due. True: silence is due that only an encoder can make. */
  housekeep(now: Millis): boolean {
    const stream = this.stream
    if (stream === null || !this.#relays || now - this.outgoing.lastAt < KEEP_ALIVE_MS) return false
    if (!isG711(stream.codec)) return true
    const bytes = stream.ptimeMs * G711_PER_MS
    const packet = nextScratch(RTP_HEADER_BYTES + bytes)
    packet.fill(SILENCE[stream.codec], RTP_HEADER_BYTES, RTP_HEADER_BYTES + bytes)
    const timestamp = this.outgoing.generate(now)
    this.outgoing.stamp(packet, { payloadType: stream.payloadType, marker: false, timestamp, payloadBytes: bytes }, now)
    this.outgoing.pause()
    this.#send(packet, 0, RTP_HEADER_BYTES + bytes)
    return false
  }
}
