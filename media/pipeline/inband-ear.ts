import { DtmfDetector } from '#media/dtmf/dtmf-detector.ts'
import type { Press } from '#media/dtmf/event-receiver.ts'
import type { Codec } from '#media/engine.ts'
import { Playout } from '#media/jitter/playout.ts'
import { BEAT_MS } from '#media/pipeline/beat.ts'
import type { RtpHeader } from '#media/rtp/header.ts'

/** One beat, filled and used up within one call. */
const pcm = new Int16Array(BEAT_MS * 8)

/** Hears the digits of a peer that has no telephone-events in its audio (ITU-T Q.24), whatever its codec. */
export class InbandEar {
  /** Made with the first packet: between two parties nobody listens. */
  #ear: { playout: Playout; detector: DtmfDetector } | null = null

  audio(packet: Buffer, header: RtpHeader, codec: Codec): void {
    this.#ear ??= { playout: new Playout(8000), detector: new DtmfDetector() }
    this.#ear.playout.audio(header, codec, packet.subarray(header.payloadStart, header.payloadEnd))
  }

  /** Audio flows: `beat` has something to do. */
  get isOn(): boolean {
    return this.#ear?.playout.isIdle === false
  }

  /** Every 20 ms: the presses that ended in them. */
  beat(): readonly Press[] {
    if (this.#ear === null || !this.isOn) return NONE
    this.#ear.playout.pull(pcm)
    return this.#ear.detector.hear(pcm)
  }

  free(): void {
    this.#ear?.playout.free()
    this.#ear = null
  }
}

const NONE: readonly Press[] = []
