import type { Clock, Millis } from '#base/clock.ts'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import { EventReceiver, type Press } from '#media/dtmf/event-receiver.ts'
import type { Codec, SocketAddress, StreamParams } from '#media/engine.ts'
import { AcceptRule, type Verdict } from '#media/engine/accept.ts'
import { SocketFixing } from '#media/engine/socket-fixing.ts'
import { codecOf, EVENT_CLOCK_HZ, listens, resumes, sameAddress } from '#media/engine/stream.ts'
import type { Secrecy } from '#media/pipeline/secrecy.ts'
import { isRtcp, RTP_HEADER_BYTES, RtpHeader } from '#media/rtp/header.ts'
import { Reception } from '#media/rtp/reception.ts'
import type { PacketSocket } from '#media/socket/socket.ts'

/** Where the receiver hands on what it let in. Nothing is kept beyond the call: packet and header are used again. */
export interface Arrivals {
  /** Audio of the agreed codec, or of G.711 by its static type. */
  audio(packet: Buffer, header: RtpHeader, codec: Codec): void
  /** Comfort noise (RFC 3389). */
  noise(packet: Buffer, header: RtpHeader): void
  /** A telephone-event packet as it came, behind the presses that it completed. */
  event(packet: Buffer, header: RtpHeader): void
  press(press: Press): void
  /** RTCP on the RTP port (RFC 5761). */
  report(packet: Buffer): void
  /** The accept rule has fixed a pair by latching: where to send may have changed. */
  latched(pair: SocketAddress): void
  /** The first valid packet of a pair. */
  first(from: SocketAddress): void
  /** `expire` has something to watch. */
  wake(): void
  /** `housekeep` has something to do sooner than it had. */
  watch(): void
}

/** The header of the packet in hand: one at a time goes through, so one is enough, and it stays in the processor's cache. */
const header = new RtpHeader()

/**
 * The way in: who may speak here, a header that is RTP, a payload type that was agreed on, the figures of reception, digits.
 *
 *     socket --> accept or latch --> SRTP --> header check --> figures --> audio | event
 */
export class Receiver {
  readonly accept = new AcceptRule()
  readonly reception = new Reception()
  /** Packets from addresses that may not speak here. */
  strangers = 0
  /** Packets that were no RTP, or of a payload type not agreed on. */
  unusable = 0
  /** Something valid was heard from the present pair. */
  heard = false
  /** We take audio from the peer, by the agreed direction. */
  listens = false
  readonly #to: Arrivals
  #stream: StreamParams | null = null
  /** Audio, an event or a report. */
  #lastHeardAt: Millis
  #toldSilent = false
  /** Made with the first telephone-event. */
  #presses: EventReceiver | null = null
  #fixing: SocketFixing | null = null
  readonly #clock: Clock
  readonly #secrecy: Secrecy

  constructor(to: Arrivals, secrecy: Secrecy, clock: Clock) {
    this.#to = to
    this.#secrecy = secrecy
    this.#clock = clock
    this.#lastHeardAt = clock.now()
  }

  /** A datagram on the RTP port. */
  receive = (datagram: Buffer, address: string, port: number): void => {
    const stream = this.#stream
    const verdict = stream === null ? 'stranger' : this.accept.judge(address, port)
    if (stream === null || verdict === 'stranger') {
      this.strangers++
      return
    }
    if (isRtcp(datagram)) {
      if (verdict === 'known') this.#to.report(datagram)
      return
    }
    const packet = this.#secrecy.isOff ? datagram : this.#secrecy.open(datagram)
    if (packet === null) return
    const codec = header.read(packet) ? codecOf(header.payloadType, stream) : null
    if (codec === null) {
      this.unusable++
      return
    }
    const now = this.#clock.now()
    if (!this.#admits(verdict, address, port)) return
    this.#hear(now, address, port)
    header.arrivedAt = now
    this.reception.packet(header, packet.length - RTP_HEADER_BYTES)
    if (!this.listens) return
    if (codec === 'event') this.#event(packet)
    else if (codec === 'noise') this.#to.noise(packet, header)
    else this.#to.audio(packet, header, codec)
  }

  /** A telephone-event (RFC 4733): told when the press is complete, and passed on as it comes. */
  #event(packet: Buffer): void {
    const payload = packet.subarray(header.payloadStart, header.payloadEnd)
    const receiver = (this.#presses ??= new EventReceiver(this.#eventClockHz))
    for (const press of receiver.packet(header.arrivedAt, header.timestamp, header.marker, payload)) this.#to.press(press)
    if (receiver.pending) this.#to.wake()
    this.#to.event(packet, header)
  }

  /** Whether a valid packet from there counts: it confirms the pair, or fixes it. */
  #admits(verdict: Verdict, address: string, port: number): boolean {
    if (verdict === 'new') return this.#latch(address, port)
    if (this.accept.confirm()) this.#aimFixing()
    return true
  }

  /** The first valid packet from the address that may latch fixes the pair (StreamParams.accept). False: this one may not. */
  #latch(address: string, port: number): boolean {
    const isSame = !this.#secrecy.isOff || (this.reception.packets > 0 && header.ssrc === this.reception.ssrc)
    if (!this.accept.admits(isSame, this.#clock.now())) {
      this.strangers++
      return false
    }
    const pair = this.accept.fix(address, port)
    this.heard = false
    this.#aimFixing()
    this.#to.latched(pair)
    return true
  }

  #hear(now: Millis, address: string, port: number): void {
    this.#lastHeardAt = now
    if (this.#fixing?.heard(now) === true || this.#toldSilent) {
      this.#toldSilent = false
      this.#to.watch()
    }
    if (this.heard) return
    this.heard = true
    this.#to.first({ address, port })
  }

  /** A valid report of the peer came: who is muted, or sends no silence, is still there. */
  reported(now: Millis): void {
    this.#lastHeardAt = now
  }

  /** Gives it its socket; null takes it away. */
  attach(socket: PacketSocket | null): void {
    if (socket === null) {
      this.#fixing?.aim(null)
      return
    }
    this.#fixing = new SocketFixing(socket)
    this.#aimFixing()
  }

  /** True: another pair than before may speak from now on. */
  aim(stream: StreamParams, learnt: SocketAddress | null): boolean {
    const before = this.accept.pair
    const isBack = resumes(this.#stream, stream)
    if (!this.#expectsAudio) this.#lastHeardAt = this.#clock.now()
    this.#stream = stream
    this.listens = listens(stream)
    this.accept.aim(stream, learnt)
    // Where the peer may rightly be silent, its silence opens nothing.
    if (isBack) this.accept.resume(this.#expectsAudio ? this.#clock.now() : Number.POSITIVE_INFINITY)
    else if (!this.#expectsAudio) this.accept.rest()
    this.reception.clockHz = CODEC_TERMS[stream.codec].clockHz
    if (this.#presses !== null) this.#presses.clockHz = this.#eventClockHz
    const other = this.accept.pair === null || before === null || !sameAddress(before, this.accept.pair)
    if (other) {
      this.heard = false
      this.#presses?.reset()
    }
    this.#aimFixing()
    return other
  }

  #aimFixing(): void {
    this.#fixing?.aim(this.accept.settled ? this.accept.pair : null)
  }

  /** A press has begun and is not told yet. */
  get pending(): boolean {
    return this.#presses?.pending === true
  }

  /** To be called every beat while `pending`: the press whose end was lost. */
  expire(now: Millis): Press | null {
    return this.#presses?.expire(now) ?? null
  }

  get #eventClockHz(): number {
    return this.#stream?.dtmfClockHz ?? EVENT_CLOCK_HZ
  }

  /** When `housekeep` has something to do, unless more is heard. */
  get dueAt(): Millis {
    return Math.min(this.#silentAt, this.#fixing?.dueAt ?? Number.POSITIVE_INFINITY)
  }

  /** To be called when it is due. How long nothing was heard, once that is longer than agreed; null: nothing to tell. */
  housekeep(now: Millis): Millis | null {
    this.#fixing?.housekeep(now)
    if (now < this.#silentAt) return null
    this.#toldSilent = true
    return Math.round(now - this.#lastHeardAt)
  }

  /** When the peer has been silent for too long, if nothing more is heard. */
  get #silentAt(): Millis {
    const stream = this.#stream
    if (stream === null || stream.silenceMs <= 0 || !this.#expectsAudio || this.#toldSilent) return Number.POSITIVE_INFINITY
    return this.#lastHeardAt + stream.silenceMs
  }

  /** A peer that holds us may send music (`recvonly` is ours then, RFC 3264 §8.4), but most phones send nothing. */
  get #expectsAudio(): boolean {
    return this.#stream?.direction === 'sendrecv'
  }

  close(): void {
    this.#stream = null
  }
}
