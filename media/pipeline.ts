import type { Clock, Millis } from '#base/clock.ts'
import { G711_PER_MS, SILENCE, transcodeInPlace } from '#media/codec/g711.ts'
import { EventReceiver, type Press } from '#media/dtmf/event-receiver.ts'
import { EventSender } from '#media/dtmf/event-sender.ts'
import type { Codec, EndpointId, SocketAddress, StreamParams, StreamStats } from '#media/engine.ts'
import { AcceptRule } from '#media/engine/accept.ts'
import { inbandDigits } from '#media/engine/inband-digits.ts'
import type { Player } from '#media/engine/player.ts'
import type { EndpointEvent } from '#media/engine/protocol.ts'
import { SocketFixing } from '#media/engine/socket-fixing.ts'
import { codecOf, listens, rtcpAddress, sameAddress, sends } from '#media/engine/stream.ts'
import type { Recording, VoiceFrame } from '#media/record/recorder.ts'
import { parseRtcp, senderOf } from '#media/rtcp/parse.ts'
import { REPORT_INTERVAL_MS, RtcpSession } from '#media/rtcp/session.ts'
import { isRtcp, RTP_HEADER_BYTES, RtpHeader } from '#media/rtp/header.ts'
import { OutgoingStream } from '#media/rtp/outgoing.ts'
import { Reception } from '#media/rtp/reception.ts'
import { nextScratch } from '#media/rtp/scratch.ts'
import type { PacketSocket, PortPair } from '#media/socket/socket.ts'

/** What the packet path needs from the engine it runs in. */
export interface PipelineNeeds {
  readonly clock: Clock
  /** A uniform integer in [0, limit). */
  below(limit: number): number
  /** Calls `beat` every 20 ms from now on, while it returns true. */
  wake(endpoint: RtpEndpoint): void
}

/** The header of the packet in hand: one at a time goes through, so one is enough, and it stays in the processor's cache. */
const header = new RtpHeader()

/** The engine's heartbeat. */
export const BEAT_MS: Millis = 20

/** A prompt to a peer behind NAT waits so long for the peer's first packet before it plays to nobody. */
const LATCH_PATIENCE_MS: Millis = 3000

/** A stream with nothing to say sends a packet of silence so often, to keep NAT bindings and the peer's patience (RFC 6263). */
const KEEP_ALIVE_MS: Millis = 5000

/**
 * One party's media in an engine, and the whole way of a packet through it:
 *
 *     socket --> header check --> accept or latch --> pass-through or transcode --> recorder --> the joined peer's socket
 *                                     '--> digits                                                     ^
 *                                       heartbeat --> player, tones, digits to send --> recorder -----'
 *
 * **Nothing here waits, throws, or keeps a packet beyond the call that brought it.** Whoever opens it closes it.
 */
export class RtpEndpoint {
  readonly id: EndpointId
  // What every packet touches stands together, and first.
  #stream: StreamParams | null = null
  #accept = new AcceptRule()
  #reception = new Reception()
  #outgoing: OutgoingStream
  #peer: RtpEndpoint | null = null
  #socket: PacketSocket | null = null
  #target: SocketAddress | null = null
  #recordings: Recording[] | null = null
  #lastHeardAt: Millis
  #listens = false
  /** What the peer says may go out: there is somewhere to send, we send, and nothing of our own is being sent. */
  #relays = false
  #heard = false
  #toldSilent = false

  #needs: PipelineNeeds
  #tell: (event: EndpointEvent) => void
  #pair: PortPair | null = null
  #fixing: SocketFixing | null = null
  #sends = false
  /** Our own audio is being sent, or about to be. */
  #generates = false
  #player: Player | null = null
  /** Digits for a peer without telephone-events, in-band. */
  #tones: Player | null = null
  #onPlayerEnd: (() => void) | null = null
  #acceptRtcp = new AcceptRule()
  #presses = new EventReceiver()
  #digits = new EventSender()
  #rtcp: RtcpSession
  #aimedAt: Millis
  #reportAt: Millis
  #owedMs = 0
  #strangers = 0
  #unusable = 0

  constructor(id: EndpointId, needs: PipelineNeeds, cname: string, tell: (event: EndpointEvent) => void) {
    this.id = id
    this.#needs = needs
    this.#tell = tell
    this.#rtcp = new RtcpSession(cname)
    this.#outgoing = new OutgoingStream({ ssrc: needs.below(2 ** 32), sequence: needs.below(2 ** 16), timestamp: needs.below(2 ** 32) })
    const now = needs.clock.now()
    this.#lastHeardAt = now
    this.#aimedAt = now
    this.#reportAt = now + this.#reportPause() / 2
  }

  // ---- What arrives ----

  /** A datagram on the RTP port. */
  #receive = (packet: Buffer, address: string, port: number): void => {
    const stream = this.#stream
    const verdict = stream === null ? 'stranger' : this.#accept.judge(address, port)
    if (stream === null || verdict === 'stranger') {
      this.#strangers++
      return
    }
    if (isRtcp(packet)) {
      if (verdict === 'known') this.#report(packet)
      return
    }
    const codec = header.read(packet) ? codecOf(header.payloadType, stream) : null
    if (codec === null) {
      this.#unusable++
      return
    }
    const now = this.#needs.clock.now()
    if (verdict === 'new') this.#latch(address, port)
    this.#hear(now, address, port)
    header.arrivedAt = now
    this.#reception.packet(header, packet.length - RTP_HEADER_BYTES)
    if (!this.#listens) return
    if (codec === 'event') this.#event(packet)
    else this.#audio(packet, codec)
  }

  #audio(packet: Buffer, codec: Codec): void {
    if (this.#recordings !== null) {
      const { arrivedAt, timestamp } = header
      this.#record({ speaker: 0, at: arrivedAt, timestamp, codec, payload: packet.subarray(header.payloadStart, header.payloadEnd) })
    }
    const peer = this.#peer
    if (peer !== null) peer.#forward(packet, codec, this)
  }

  /** A telephone-event (RFC 4733): told when the press is complete, and passed on as it comes, in-band where the peer has no events. */
  #event(packet: Buffer): void {
    const payload = packet.subarray(header.payloadStart, header.payloadEnd)
    const presses = this.#presses.packet(header.arrivedAt, header.timestamp, header.marker, payload)
    for (const press of presses) this.#press(press)
    if (this.#presses.pending) this.#needs.wake(this)
    const peer = this.#peer
    if (peer !== null) peer.#forwardEvent(packet, this)
  }

  #press(press: Press): void {
    this.#tell({ kind: 'digit', digit: press.digit, ms: press.ms })
    const peer = this.#peer
    if (peer !== null && peer.#stream?.dtmfPayloadType === null) peer.sendDigits(press.digit, press.ms)
  }

  /** The first valid packet from the address that may latch fixes the pair (StreamParams.accept). */
  #latch(address: string, port: number): void {
    const pair = this.#accept.fix(address, port)
    this.#heard = false
    this.#aimSocket()
    if (this.#isMuxed()) this.#acceptRtcp.fix(pair.address, pair.port)
  }

  #hear(now: Millis, address: string, port: number): void {
    this.#lastHeardAt = now
    this.#toldSilent = false
    this.#fixing?.heard(now)
    if (this.#heard) return
    this.#heard = true
    this.#tell({ kind: 'audio', from: { address, port }, latched: this.#accept.latched !== null })
  }

  /** A datagram on the RTCP port. */
  #receiveRtcp = (packet: Buffer, address: string, port: number): void => {
    const verdict = this.#stream === null ? 'stranger' : this.#acceptRtcp.judge(address, port)
    if (verdict === 'stranger') {
      this.#strangers++
      return
    }
    // Behind one NAT address there may be others than the peer; they do not know its source.
    if (verdict === 'new' && !(this.#heard && senderOf(packet) === this.#reception.ssrc)) {
      this.#strangers++
      return
    }
    if (this.#report(packet) && verdict === 'new') this.#acceptRtcp.fix(address, port)
  }

  #report(packet: Buffer): boolean {
    const packets = parseRtcp(packet)
    if ('kind' in packets) {
      this.#unusable++
      return false
    }
    this.#rtcp.take(packets, this.#outgoing.ssrc, this.#needs.clock.now(), this.#needs.clock.wall())
    return true
  }

  // ---- What is sent ----

  /** The joined party's audio, as it came: payload untouched when both have the same codec. */
  #forward(packet: Buffer, codec: Codec, source: RtpEndpoint): void {
    const stream = this.#stream
    if (stream === null || !this.#relays) return
    const { payloadEnd, payloadStart } = header
    if (codec !== stream.codec) transcodeInPlace(codec, stream.codec, packet.subarray(payloadStart, payloadEnd))
    const at = this.#outgoing.forward(packet, header, source, stream.payloadType)
    if (at < 0) return
    if (this.#recordings !== null) {
      const timestamp = packet.readUInt32BE(at + 4)
      const payload = packet.subarray(payloadStart, payloadEnd)
      this.#record({ speaker: 1, at: header.arrivedAt, timestamp, codec: stream.codec, payload })
    }
    this.#send(packet, at, payloadEnd)
  }

  #forwardEvent(packet: Buffer, source: RtpEndpoint): void {
    const stream = this.#stream
    if (stream === null || !this.#relays) return
    if (stream.dtmfPayloadType === null) {
      this.#outgoing.swallow(source)
      return
    }
    const at = this.#outgoing.forward(packet, header, source, stream.dtmfPayloadType)
    if (at >= 0) this.#send(packet, at, header.payloadEnd)
  }

  #send(packet: Buffer, from: number, to: number): void {
    if (this.#socket === null || this.#target === null) return
    this.#socket.send(from === 0 && to === packet.length ? packet : packet.subarray(from, to), this.#target)
  }

  /** To be called whenever what it depends on changes. */
  #refresh(): void {
    this.#generates = this.#player !== null || this.#digits.active || this.#tones !== null
    this.#relays = this.#target !== null && this.#sends && !this.#generates
  }

  /** Every 20 ms while there is something to generate or to watch; false when there is nothing more. */
  beat(now: Millis): boolean {
    if (this.#presses.pending) {
      const press = this.#presses.expire(now)
      if (press !== null) this.#press(press)
    }
    if (!this.#generates) {
      this.#owedMs = 0
      return this.#presses.pending
    }
    const ptimeMs = this.#stream?.ptimeMs ?? BEAT_MS
    for (this.#owedMs += BEAT_MS; this.#owedMs >= ptimeMs; this.#owedMs -= ptimeMs) this.#generate(now, ptimeMs)
    this.#refresh()
    return true
  }

  /** One packet time of what we generate: digits before tones before the player. */
  #generate(now: Millis, ptimeMs: Millis): void {
    const bytes = ptimeMs * G711_PER_MS
    if (this.#digits.active) {
      this.#generateEvent(now, bytes)
      return
    }
    const player = this.#tones ?? this.#player
    if (player === null || this.#awaitsLatch(now)) return
    const stream = this.#stream
    if (stream !== null && this.#target !== null && this.#sends) this.#sendAudio(player, stream, bytes, now)
    else player.skip(bytes)
    if (player.ended) this.#playerEnded(player)
  }

  #sendAudio(player: Player, stream: StreamParams, bytes: number, now: Millis): void {
    const packet = nextScratch()
    const end = RTP_HEADER_BYTES + bytes
    player.fill(packet, RTP_HEADER_BYTES, bytes)
    if (player.codec !== stream.codec) transcodeInPlace(player.codec, stream.codec, packet.subarray(RTP_HEADER_BYTES, end))
    const timestamp = this.#outgoing.generate(now)
    this.#outgoing.stamp(packet, { payloadType: stream.payloadType, marker: false, timestamp, payloadBytes: bytes }, now)
    this.#outgoing.advance(bytes)
    if (this.#recordings !== null) {
      this.#record({ speaker: 1, at: now, timestamp, codec: stream.codec, payload: packet.subarray(RTP_HEADER_BYTES, end) })
    }
    this.#send(packet, 0, end)
  }

  #generateEvent(now: Millis, ticks: number): void {
    const stream = this.#stream
    const event = this.#digits.step(this.#outgoing.generate(now), ticks)
    if (event !== null && stream !== null && stream.dtmfPayloadType !== null && this.#target !== null && this.#sends) {
      const packet = nextScratch()
      const { payload } = this.#digits
      packet.set(payload, RTP_HEADER_BYTES)
      const { marker, timestamp } = event
      this.#outgoing.stamp(packet, { payloadType: stream.dtmfPayloadType, marker, timestamp, payloadBytes: payload.length }, now)
      this.#send(packet, 0, RTP_HEADER_BYTES + payload.length)
    }
    this.#outgoing.advance(ticks)
  }

  /** A peer behind NAT is not reachable before it has spoken: what it shall hear waits for that, but not for ever. */
  #awaitsLatch(now: Millis): boolean {
    const { target } = this.#accept
    return target === null && this.#stream?.accept.mode === 'latch' && now - this.#aimedAt < LATCH_PATIENCE_MS
  }

  #playerEnded(player: Player): void {
    if (player === this.#tones) this.#tones = null
    else this.#onPlayerEnd?.()
  }

  #record(frame: VoiceFrame): void {
    for (const recording of this.#recordings ?? []) recording.frame(frame)
  }

  // ---- Slow things: a few times a second ----

  /** Watches for silence, reports by RTCP, keeps NAT bindings. To be called every 100 ms or so. */
  housekeep(now: Millis): void {
    const stream = this.#stream
    if (stream === null) return
    this.#fixing?.housekeep(now)
    if (stream.silenceMs > 0 && this.#listens && !this.#toldSilent && now - this.#lastHeardAt >= stream.silenceMs) {
      this.#toldSilent = true
      this.#tell({ kind: 'silent', ms: Math.round(now - this.#lastHeardAt) })
    }
    if (now >= this.#reportAt) {
      this.#reportAt = now + this.#reportPause()
      this.#sendReport(now, false)
    }
    if (this.#target !== null && this.#sends && !this.#generates && now - this.#outgoing.lastAt >= KEEP_ALIVE_MS) {
      this.#sendSilence(stream, now)
    }
  }

  #sendSilence(stream: StreamParams, now: Millis): void {
    const bytes = stream.ptimeMs * G711_PER_MS
    const packet = nextScratch()
    packet.fill(SILENCE[stream.codec], RTP_HEADER_BYTES, RTP_HEADER_BYTES + bytes)
    const timestamp = this.#outgoing.generate(now)
    this.#outgoing.stamp(packet, { payloadType: stream.payloadType, marker: false, timestamp, payloadBytes: bytes }, now)
    this.#outgoing.advance(bytes)
    this.#send(packet, 0, RTP_HEADER_BYTES + bytes)
  }

  /** RFC 3550 §6.3: to where the peer's own reports may come from, and nowhere before something was heard or sent. */
  #sendReport(now: Millis, bye: boolean): void {
    const pair = this.#pair
    if (pair === null || this.#reception.packets + this.#outgoing.packets === 0) return
    const muxed = this.#isMuxed()
    const target = muxed ? this.#target : this.#acceptRtcp.target
    if (target === null) return
    const packet = this.#rtcp.compose(this.#outgoing, this.#reception, { now, wall: this.#needs.clock.wall() }, bye)
    if (muxed) pair.rtp.send(packet, target)
    else pair.rtcp.send(packet, target)
  }

  #reportPause(): Millis {
    return REPORT_INTERVAL_MS / 2 + this.#needs.below(REPORT_INTERVAL_MS)
  }

  // ---- Commands ----

  /** Gives the endpoint its sockets. */
  attach(pair: PortPair): void {
    this.#pair = pair
    this.#socket = pair.rtp
    this.#fixing = new SocketFixing(pair.rtp)
    pair.rtp.receive = this.#receive
    pair.rtcp.receive = this.#receiveRtcp
    this.#aimSocket()
  }

  /** See Endpoint.aim. Addresses are canonical. `learnt`: latched before, in an engine that died. */
  aim(stream: StreamParams, learnt: SocketAddress | null = null): void {
    const now = this.#needs.clock.now()
    const before = this.#accept.pair
    if (!this.#listens) this.#lastHeardAt = now
    this.#stream = stream
    this.#sends = sends(stream)
    this.#listens = listens(stream)
    this.#accept.aim(stream, learnt)
    this.#acceptRtcp.aim({ remote: rtcpAddress(stream), accept: stream.accept })
    this.#aimedAt = now
    if (this.#accept.pair === null || before === null || !sameAddress(before, this.#accept.pair)) {
      this.#heard = false
      this.#presses.reset()
      this.#rtcp.reset()
    }
    this.#aimSocket()
  }

  #aimSocket(): void {
    this.#target = this.#accept.target
    this.#refresh()
    this.#fixing?.aim(this.#accept.settled ? this.#accept.pair : null)
  }

  get stream(): StreamParams | null {
    return this.#stream
  }

  get latched(): SocketAddress | null {
    return this.#accept.latched
  }

  get peer(): RtpEndpoint | null {
    return this.#peer
  }

  /** Both hear each other; earlier joins of either are undone. */
  join(other: RtpEndpoint): void {
    if (this.#peer === other || other === this) return
    this.part()
    other.part()
    this.#peer = other
    other.#peer = this
  }

  part(): void {
    const peer = this.#peer
    this.#peer = null
    if (peer !== null) peer.#peer = null
  }

  /** From the next beat on the player is heard instead of the peer. `ended` is called when it has nothing more; the caller then stops it. */
  play(player: Player, ended: () => void): void {
    this.#player = player
    this.#onPlayerEnd = ended
    this.#refresh()
    this.#needs.wake(this)
  }

  stop(): void {
    this.#player = null
    this.#onPlayerEnd = null
    this.#refresh()
  }

  /** Digits to the peer: RFC 4733 events, or tones in-band. What is no digit is skipped. */
  sendDigits(digits: string, toneMs?: Millis, gapMs?: Millis): void {
    const stream = this.#stream
    if (stream === null) return
    if (stream.dtmfPayloadType !== null) this.#digits.queue(digits, toneMs, gapMs)
    else this.#tones = inbandDigits(digits, stream.codec, { toneMs, gapMs, after: this.#tones })
    this.#refresh()
    this.#needs.wake(this)
  }

  startRecording(recording: Recording): void {
    this.#recordings = [...(this.#recordings ?? []), recording]
  }

  /** The tap closes; the recording itself is its owner's to stop. */
  stopRecording(recording: Recording): void {
    const left = (this.#recordings ?? []).filter((each) => each !== recording)
    this.#recordings = left.length === 0 ? null : left
  }

  get stats(): StreamStats {
    return {
      packetsSent: this.#outgoing.packets,
      packetsReceived: this.#reception.packets,
      bytesReceived: this.#reception.bytes,
      lost: this.#reception.lost,
      jitterMs: Math.round(this.#reception.jitterMs * 100) / 100,
      remoteLost: this.#rtcp.remoteLost,
      roundTripMs: this.#rtcp.roundTripMs,
      strangers: this.#strangers,
      unusable: this.#unusable,
    }
  }

  /** Parts, says goodbye by RTCP and gives the sockets back, silent and open. null: it never had any. */
  close(): PortPair | null {
    this.part()
    this.stop()
    this.#sendReport(this.#needs.clock.now(), true)
    const pair = this.#pair
    this.#pair = null
    this.#socket = null
    this.#stream = null
    this.#target = null
    this.#refresh()
    this.#fixing?.aim(null)
    if (pair !== null) {
      pair.rtp.receive = null
      pair.rtcp.receive = null
    }
    return pair
  }

  #isMuxed(): boolean {
    const stream = this.#stream
    return stream !== null && stream.rtcp !== null && stream.remote !== null && sameAddress(stream.rtcp, stream.remote)
  }
}
