import type { Millis } from '#base/clock.ts'
import { CODEC_TERMS } from '#media/codec/codec.ts'
import { G711_PER_MS, isG711 } from '#media/codec/g711.ts'
import type { Codec, EndpointId, MixTerms, RoomId, StreamParams } from '#media/engine.ts'
import type { Playout } from '#media/jitter/playout.ts'
import type { MixParty } from '#media/mix/member.ts'
import type { Mix } from '#media/mix/mix.ts'
import type { Room } from '#media/mix/room.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'
import type { Decoding } from '#media/pipeline/decoding.ts'
import type { Generator } from '#media/pipeline/generator.ts'
import type { Packetizer } from '#media/pipeline/packetizer.ts'
import type { Sender } from '#media/pipeline/sender.ts'
import type { Tap } from '#media/pipeline/tap.ts'
import { RTP_HEADER_BYTES, type RtpHeader } from '#media/rtp/header.ts'
import { nextScratch } from '#media/rtp/scratch.ts'

/** The stages of an endpoint that a room has to do with. */
export interface SeatStages {
  readonly sender: Sender
  readonly packetizer: Packetizer
  readonly decoding: Decoding
  readonly generator: Generator
  readonly tap: Tap
}

/** An endpoint's place in a room: what it says as samples, and the room's beat as packets. */
export class Seat implements MixParty {
  readonly id: EndpointId
  readonly #stages: SeatStages
  #in: { id: RoomId; room: Room; terms: MixTerms } | null = null
  #said: Int16Array | null = null

  constructor(id: EndpointId, stages: SeatStages) {
    this.id = id
    this.#stages = stages
  }

  isIn(room: Room): boolean {
    return this.#in?.room === room
  }

  get mixed(): { room: RoomId; terms: MixTerms } | null {
    return this.#in === null ? null : { room: this.#in.id, terms: this.#in.terms }
  }

  take(room: { id: RoomId; room: Room }, terms: MixTerms): void {
    this.#stages.generator.heardBy = (pcm) => {
      this.#said = pcm
    }
    this.#in = { ...room, terms }
    room.room.enter(this, terms)
  }

  leave(): void {
    if (this.#in === null) return
    this.#in.room.leave(this.id)
    this.#in = null
    this.#said = null
    this.#stages.generator.heardBy = null
  }

  audio(packet: Buffer, header: RtpHeader, codec: Codec): void {
    this.#stages.decoding.start(CODEC_TERMS[codec].rateHz)
    this.#stages.decoding.audio(packet, header, codec)
  }

  // ---- For the room (MixParty) ----

  get stream(): StreamParams | null {
    return this.#stages.sender.stream
  }

  get playout(): Playout | null {
    return this.#stages.decoding.playout
  }

  takeSaid(): Int16Array | null {
    const said = this.#said
    this.#said = null
    return said
  }

  /** One beat of the room. Sent as it is encoded already where that can be; an endpoint that nobody talks with only records it. */
  hearMix(mix: Mix, now: Millis): void {
    const { packetizer, sender } = this.#stages
    const { stream } = sender
    if (stream === null) this.#record(mix, now)
    else if (!sender.relays) return
    else if (isG711(stream.codec) && stream.ptimeMs === BEAT_MS) {
      const octets = mix.octets(stream.codec)
      const packet = nextScratch()
      packet.set(octets, RTP_HEADER_BYTES)
      sender.sendAudio(packet, stream, { bytes: octets.length, ms: BEAT_MS }, now)
    } else packetizer.push(mix.pcm, mix.rateHz, now)
  }

  #record(mix: Mix, now: Millis): void {
    const { tap } = this.#stages
    if (!tap.isOpen) return
    tap.frame({ speaker: 0, at: now, timestamp: Math.round(now * G711_PER_MS) >>> 0, codec: 'PCMA', payload: mix.octets('PCMA') })
  }
}
