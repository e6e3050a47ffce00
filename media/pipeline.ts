import type { Clock, Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { RateHz } from '#media/codec/codec.ts'
import type { Press } from '#media/dtmf/event-receiver.ts'
import type { Codec, EndpointId, SocketAddress, StreamParams, StreamStats, MixTerms, RoomId } from '#media/engine.ts'
import { listens } from '#media/engine/stream.ts'
import type { Player } from '#media/engine/player.ts'
import type { EndpointEvent } from '#media/engine/protocol.ts'
import type { Room } from '#media/mix/room.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'
import { commonRate, Decoding } from '#media/pipeline/decoding.ts'
import { Generator } from '#media/pipeline/generator.ts'
import { InbandEar } from '#media/pipeline/inband-ear.ts'
import { type Housekept, Look } from '#media/pipeline/look.ts'
import { Packetizer } from '#media/pipeline/packetizer.ts'
import { areAlike, Passage } from '#media/pipeline/passage.ts'
import { type Arrivals, Receiver } from '#media/pipeline/receiver.ts'
import { Reports } from '#media/pipeline/reports.ts'
import { Seat } from '#media/pipeline/seat.ts'
import { Secrecy } from '#media/pipeline/secrecy.ts'
import { Sender } from '#media/pipeline/sender.ts'
import { Tap } from '#media/pipeline/tap.ts'
import type { Recording } from '#media/record/recorder.ts'
import type { RtpHeader } from '#media/rtp/header.ts'
import type { PortPair } from '#media/socket/socket.ts'
import type { KeptRollover } from '#media/srtp/receiver.ts'

/** What the packet path needs from the engine it runs in. */
export interface PipelineNeeds {
  readonly clock: Clock
  /** For what is looked after now and then. */
  readonly wheel: TimerWheel
  /** Names this end of its streams in RTCP, random (RFC 7022 §4.2). */
  readonly cname: string
  /** A uniform integer in [0, limit). */
  below(limit: number): number
  /** Calls `beat` every 20 ms from now on, while it returns true. */
  wake(endpoint: RtpEndpoint): void
  tell(id: EndpointId, event: EndpointEvent): void
}

/** A prompt to a peer behind NAT waits so long for the peer's first packet before it plays to nobody. */
const LATCH_PATIENCE_MS: Millis = 3000

/** A new aim is looked after no sooner: whoever has something to say has said it by then. Up to as much later, so that not all are at once after a restart. */
const FIRST_LOOK_MS: Millis = 100
const LEAST_LOOK_MS: Millis = 100

/** For keeping a way open. */
const SILENT_BEAT = new Int16Array(BEAT_MS * 8)

/** Nothing is known of the peer. */
const FIRST = { learnt: null, rollover: null } as const

/**
 * One party's media in an engine, and the whole way of a packet through it, stage by stage:
 *
 *     socket --> Receiver --audio--> recordings, the joined peer's Sender --> socket
 *                    |         '--of another codec, or in a room--> Decoding --> the peer's Packetizer, or the room --> Sender
 *                    '----digits--> the owner                 ^
 *                      heartbeat --> Generator (own Sender) --'
 *
 * **Nothing here waits, throws, or keeps a packet beyond the call that brought it.** Whoever opens it closes it.
 */
export class RtpEndpoint implements Arrivals, Housekept {
  readonly id: EndpointId
  #peer: RtpEndpoint | null = null
  readonly #tap = new Tap()
  readonly #secrecy = new Secrecy()
  readonly #sender: Sender
  readonly #receiver: Receiver
  /** Made with the first audio for a peer. */
  #passage: Passage | null = null
  readonly #decoding = new Decoding()
  /** Made when something is to be encoded. */
  #packetizer: Packetizer | null = null
  /** For a peer without telephone-events. */
  #inband: InbandEar | null = null
  /** Made when we have something to say ourselves. */
  #generator: Generator | null = null
  readonly #reports: Reports
  readonly #needs: PipelineNeeds
  /** Made when it enters a room. */
  #seat: Seat | null = null
  readonly #look: Look
  #pair: PortPair | null = null
  #aimedAt: Millis

  constructor(id: EndpointId, needs: PipelineNeeds) {
    this.id = id
    this.#needs = needs
    this.#sender = new Sender(this.#tap, this.#secrecy, needs)
    this.#receiver = new Receiver(this, this.#secrecy, needs.clock)
    this.#reports = new Reports(needs, { receiver: this.#receiver, sender: this.#sender, secrecy: this.#secrecy })
    this.#look = new Look(needs.wheel, this)
    this.#aimedAt = needs.clock.now()
  }

  // ---- What arrives (Arrivals) ----

  audio(packet: Buffer, header: RtpHeader, codec: Codec): void {
    if (this.#tap.isOpen) {
      const { arrivedAt, timestamp } = header
      this.#tap.frame({ speaker: 0, at: arrivedAt, timestamp, codec, payload: packet.subarray(header.payloadStart, header.payloadEnd) })
    }
    // Between two parties the tones go on in the audio, and nobody of ours waits for digits: to listen would cost more than all the rest.
    if (this.#inband !== null && this.#peer === null) {
      this.#inband.audio(packet, header, codec)
      this.wake()
    }
    if (this.#seat !== null) {
      this.#seat.audio(packet, header, codec)
      return
    }
    const peer = this.#peer
    const stream = peer === null ? null : peer.#sender.stream
    if (peer === null || stream === null) return
    this.#passage ??= new Passage()
    if (this.#passage.mustDecode(packet, header, codec, stream)) {
      this.#decoding.start(commonRate(codec, stream.codec))
      this.#decoding.audio(packet, header, codec)
      this.wake()
      return
    }
    if (this.#decoding.isOn) this.#decoding.stop()
    peer.#sender.forward(packet, header, codec, this)
  }

  /** Comfort noise: passed on where the peer knows it, else it is made here until the voice comes back. */
  noise(packet: Buffer, header: RtpHeader): void {
    const peer = this.#peer
    const own = this.stream
    if (this.#seat !== null && own !== null) this.#decoding.noise(packet, header, own.codec)
    const stream = peer === null ? null : peer.stream
    if (peer === null || own === null || stream === null) return
    if (!this.#decoding.isOn && stream.noisePayloadType !== undefined && areAlike(own.codec, stream.codec)) {
      peer.#sender.forwardOther(packet, header, stream.noisePayloadType, this)
      return
    }
    this.#decoding.start(commonRate(own.codec, stream.codec))
    this.#decoding.noise(packet, header, own.codec)
    this.wake()
  }

  event(packet: Buffer, header: RtpHeader): void {
    const peer = this.#peer
    this.#decoding.playout?.other(header)
    if (peer !== null && this.#passesEvents(peer)) peer.#sender.forwardOther(packet, header, peer.stream?.dtmfPayloadType ?? null, this)
  }

  /** Events go on packet by packet with the audio; where that is decoded, or their clocks differ, the peer gets new ones when the press is complete. */
  #passesEvents(peer: RtpEndpoint): boolean {
    const [own, other] = [this.stream, peer.stream]
    return (
      own !== null && other !== null && !this.#decoding.isOn && areAlike(own.codec, other.codec) && own.dtmfClockHz === other.dtmfClockHz
    )
  }

  /** Told to the owner; a peer that has not had the event itself gets the digit anew, as event or tone. */
  press(press: Press): void {
    this.#needs.tell(this.id, { kind: 'digit', digit: press.digit, ms: press.ms })
    const peer = this.#peer
    if (peer !== null && (peer.stream?.dtmfPayloadType === null || !this.#passesEvents(peer))) peer.sendDigits(press.digit, press.ms)
  }

  report(packet: Buffer): void {
    this.#reports.take(packet)
  }

  latched(pair: SocketAddress): void {
    this.#sender.sendTo(this.#receiver.accept.target)
    this.#reports.latched(pair)
    this.watch()
  }

  first(from: SocketAddress): void {
    this.#needs.tell(this.id, { kind: 'audio', from, latched: this.#receiver.accept.latched !== null })
  }

  wake(): void {
    this.#needs.wake(this)
  }

  /** Looks after it when the next thing is due. */
  watch(): void {
    if (this.stream === null) return
    const now = this.#needs.clock.now()
    const dueAt = Math.min(this.#receiver.dueAt, this.#reports.dueAt, this.#sender.dueAt, this.#secrecy.dueAt(now))
    this.#look.start(Math.max(LEAST_LOOK_MS, dueAt - now))
  }

  // ---- Time ----

  /** Every 20 ms while there is something to generate or to watch; false when there is nothing more. */
  beat(now: Millis): boolean {
    if (this.#receiver.pending) {
      const press = this.#receiver.expire(now)
      if (press !== null) this.press(press)
    }
    const generates = this.#generate(now)
    // In a room it is the room that pulls.
    const flows = this.#seat === null && this.#decoding.isFlowing
    if (flows) this.#decoding.pull((pcm, rateHz) => this.#peer?.hear(pcm, rateHz, now))
    const ear = this.#peer === null ? this.#inband : null
    const listens = ear?.isOn === true
    // The tone itself goes on to the peer in the audio, so that only the owner is told.
    for (const { digit, ms } of ear?.beat() ?? []) this.#needs.tell(this.id, { kind: 'digit', digit, ms })
    const goesOn = generates || flows || listens || this.#receiver.pending
    if (!goesOn) this.watch()
    return goesOn
  }

  /** False: nothing was to be said. */
  #generate(now: Millis): boolean {
    return this.#generator?.beat(now, BEAT_MS, this.#awaitsLatch(now)) ?? false
  }

  /** What the joined party says, as samples. */
  hear(pcm: Int16Array, rateHz: RateHz, now: Millis): void {
    if (this.#sender.relays) this.#encodes.push(pcm, rateHz, now)
  }

  get #encodes(): Packetizer {
    return (this.#packetizer ??= new Packetizer(this.#sender))
  }

  get #says(): Generator {
    return (this.#generator ??= new Generator(this.#sender, this.#encodes))
  }

  /** A peer behind NAT is not reachable before it has spoken: what it shall hear waits for that, but not for ever. */
  #awaitsLatch(now: Millis): boolean {
    const { target } = this.#receiver.accept
    return target === null && this.stream?.accept.mode === 'latch' && now - this.#aimedAt < LATCH_PATIENCE_MS
  }

  /** Watches for silence, reports by RTCP, keeps NAT bindings. */
  housekeep(): void {
    const now = this.#needs.clock.now()
    const silentMs = this.#receiver.housekeep(now)
    if (silentMs !== null) this.#needs.tell(this.id, { kind: 'silent', ms: silentMs })
    const quality = this.#reports.housekeep(now)
    if (quality !== null) this.#needs.tell(this.id, { kind: 'quality', quality })
    if (this.#sender.housekeep(now)) this.#saySilence(now)
    const rollover = this.#secrecy.housekeep(now)
    if (rollover !== null) this.#needs.tell(this.id, { kind: 'rolled-over', rollover })
    this.watch()
  }

  /** One packet of it. */
  #saySilence(now: Millis): void {
    const ptimeMs = this.stream?.ptimeMs ?? 0
    for (let ms = 0; ms < ptimeMs; ms += BEAT_MS) this.#encodes.push(SILENT_BEAT, 8000, now)
  }

  // ---- Commands ----

  /** Gives the endpoint its sockets. */
  attach(pair: PortPair): void {
    this.#pair = pair
    this.#sender.attach(pair.rtp)
    this.#receiver.attach(pair.rtp)
    this.#reports.attach(pair)
    pair.rtp.receive = this.#receiver.receive
    pair.rtcp.receive = this.#reports.receive
  }

  /** The sockets it has now. */
  get pair(): PortPair | null {
    return this.#pair
  }

  /** See Endpoint.aim. Addresses are canonical. `before`: what an engine that died had learnt of the peer. */
  aim(stream: StreamParams, before: { learnt: SocketAddress | null; rollover: KeptRollover | null } = FIRST): void {
    this.#secrecy.aim(stream.crypto ?? null, this.#needs.clock.now(), before.rollover)
    const fresh = this.#receiver.aim(stream, before.learnt)
    this.#sender.aim(stream)
    this.#reports.aim(stream, fresh)
    this.#listenInband(stream)
    this.#sender.sendTo(this.#receiver.accept.target)
    this.#aimedAt = this.#needs.clock.now()
    this.#look.start(FIRST_LOOK_MS + this.#needs.below(FIRST_LOOK_MS))
  }

  #listenInband(stream: StreamParams): void {
    if (stream.dtmfPayloadType === null && listens(stream)) {
      this.#inband ??= new InbandEar()
      return
    }
    this.#inband?.free()
    this.#inband = null
  }

  get stream(): StreamParams | null {
    return this.#sender.stream
  }

  get latchedOn(): SocketAddress | null {
    return this.#receiver.accept.latched
  }

  /** Of the peer's protected stream, when it is not 0. */
  get rollover(): KeptRollover | null {
    return this.#secrecy.rollover
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

  #stopDecoding(): void {
    this.#decoding.stop()
    this.#passage?.reset()
  }

  /** Takes part in a room, which from now on makes what the peer hears; a join or another room is left. */
  enter(room: { id: RoomId; room: Room }, terms: MixTerms): void {
    if (this.#seat?.isIn(room.room) !== true) this.part()
    this.#seat ??= this.#makeSeat()
    this.#seat.take(room, terms)
  }

  #makeSeat(): Seat {
    const [sender, packetizer, generator] = [this.#sender, this.#encodes, this.#says]
    return new Seat(this.id, { sender, packetizer, generator, decoding: this.#decoding, tap: this.#tap })
  }

  get mixed(): { room: RoomId; terms: MixTerms } | null {
    return this.#seat?.mixed ?? null
  }

  /** Ends a join, or leaves the room. */
  part(): void {
    this.#seat?.leave()
    this.#seat = null
    const peer = this.#peer
    this.#peer = null
    this.#stopDecoding()
    if (peer === null) return
    peer.#peer = null
    peer.#stopDecoding()
    this.#sender.parted()
    peer.#sender.parted()
  }

  /** See Generator.play. */
  play(player: Player, ended: () => void): void {
    this.#says.play(player, ended)
    this.wake()
  }

  stop(): void {
    this.#generator?.stop()
  }

  /** Digits to the peer: RFC 4733 events, or tones in-band. What is no digit is skipped. */
  sendDigits(digits: string, toneMs?: Millis, gapMs?: Millis): void {
    if (this.stream === null) return
    this.#says.digits(digits, this.stream, toneMs, gapMs)
    this.wake()
  }

  startRecording(recording: Recording): void {
    this.#tap.add(recording)
  }

  /** The tap closes; the recording itself is its owner's to stop. */
  stopRecording(recording: Recording): void {
    this.#tap.remove(recording)
  }

  get stats(): StreamStats {
    const { reception, strangers, unusable } = this.#receiver
    const { badTags, replays } = this.#secrecy
    const playout = this.#decoding.total
    return {
      packetsSent: this.#sender.packetsBefore + this.#sender.outgoing.packets,
      packetsReceived: reception.packets,
      bytesReceived: reception.bytes,
      lost: reception.lost,
      jitterMs: Math.round(reception.jitterMs * 100) / 100,
      remoteLost: this.#reports.remoteLost,
      roundTripMs: this.#reports.roundTripMs,
      strangers,
      unusable,
      ...(this.stream !== null && { quality: this.#reports.quality(this.stream) }),
      ...(playout !== null && { playout }),
      ...(badTags + replays > 0 && { badTags, replays }),
    }
  }

  /** Parts, says goodbye by RTCP and gives the sockets back, silent and open. null: it never had any. */
  close(): PortPair | null {
    this.part()
    this.stop()
    this.#look.stop()
    this.#reports.send(this.#needs.clock.now(), true)
    const pair = this.#pair
    this.#pair = null
    this.#receiver.close()
    this.#receiver.attach(null)
    this.#sender.aim(null)
    this.#sender.sendTo(null)
    this.#sender.attach(null)
    this.#reports.attach(null)
    this.#packetizer?.free()
    this.#inband?.free()
    this.#inband = null
    if (pair !== null) {
      pair.rtp.receive = null
      pair.rtcp.receive = null
    }
    return pair
  }
}
