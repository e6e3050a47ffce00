import type { Millis } from '#base/clock.ts'
import { LONGEST_PAYLOAD } from '#media/record/frame-batch.ts'
import { Mixer } from '#media/record/mixer.ts'
import type { VoiceFrame } from '#media/record/recorder.ts'
import { VoiceDecoder } from '#media/record/voice-decoder.ts'
import { LATEST_MS, Track } from '#media/record/track.ts'

/** Samples of a block: 20 ms. */
export const BLOCK = 160
const BLOCK_MS = 20
const SAMPLES_PER_MS = 8

/** What can lie between the mixed past and the newest frame: the latest frame, the longest frame (60 ms), and room for a heartbeat. */
const RING = 8192

/** One block of the recording, mixed. Everything in it is reused for the next block. */
export interface Block {
  /** When it begins, since the recording's zero. */
  fromMs: Millis
  mixed: Int16Array
  /** The two speakers apart, for who spoke when. */
  voices: readonly [Int16Array, Int16Array]
  /** Nothing but silence in it. */
  silent: boolean
}

/**
 * Two speakers on one timeline: frames are put in their place, and once nothing can come late any more the blocks are taken
 * out, mixed, in order, with silence where nothing came.
 */
export class Timeline {
  readonly #rings = [new Int16Array(RING), new Int16Array(RING)] as const
  readonly #tracks = [new Track(), new Track()] as const
  readonly #decoders = [new VoiceDecoder(), new VoiceDecoder()] as const
  readonly #frame = new Int16Array(960)
  readonly #mixer = new Mixer()
  readonly #block: Block = { fromMs: 0, mixed: new Int16Array(BLOCK), voices: [new Int16Array(BLOCK), new Int16Array(BLOCK)], silent: true }
  readonly #emit: (block: Block) => void
  /** Samples before this are out. A multiple of BLOCK. */
  #head: number
  /** Stretches of silence by order, in samples; the last may be open. */
  #muted: { from: number; to: number }[] = []

  /** `emit` takes each block as it becomes final. `fromMs`: the timeline begins there (what was before is in the file already). */
  constructor(emit: (block: Block) => void, fromMs: Millis = 0) {
    this.#emit = emit
    this.#head = Math.ceil(fromMs / BLOCK_MS) * BLOCK
  }

  /** How far the blocks have come. */
  get ms(): Millis {
    return this.#head / SAMPLES_PER_MS
  }

  /** Takes a frame, `at` since the recording's zero; what comes too late, or is no frame of at most 120 ms, is left out. */
  frame(frame: VoiceFrame): void {
    const { speaker, at, payload } = frame
    if (payload.length === 0 || payload.length > LONGEST_PAYLOAD) return
    this.advance(at)
    const decoder = this.#decoders[speaker]
    const place = this.#tracks[speaker].place(at, decoder.timestamp(frame))
    if (place === null) return
    const length = decoder.decode(frame, this.#frame)
    const ring = this.#rings[speaker]
    const from = Math.max(0, this.#head - place)
    const to = Math.min(length, this.#head + RING - place)
    for (let i = from; i < to; i++) ring[(place + i) % RING] = this.#frame[i] as number
  }

  /** Nothing of either speaker from here on is kept, until `unmute`. */
  mute(at: Millis): void {
    if (this.#muted.at(-1)?.to !== Number.POSITIVE_INFINITY) this.#muted.push({ from: at * SAMPLES_PER_MS, to: Number.POSITIVE_INFINITY })
  }

  unmute(at: Millis): void {
    const last = this.#muted.at(-1)
    if (last?.to === Number.POSITIVE_INFINITY) last.to = at * SAMPLES_PER_MS
  }

  /** Time has come to `now`: what lies further back than a frame can be late is final. */
  advance(now: Millis): void {
    this.#takeUntil((now - LATEST_MS) * SAMPLES_PER_MS)
  }

  /** The end: everything up to `now` is final; a begun block is filled with silence. */
  finish(now: Millis): void {
    for (const decoder of this.#decoders) decoder.free()
    this.#takeUntil(Math.ceil(now / BLOCK_MS) * BLOCK)
  }

  #takeUntil(sample: number): void {
    while (this.#head + BLOCK <= sample) this.#take()
  }

  #take(): void {
    const { voices, mixed } = this.#block
    const start = this.#head % RING
    const muted = this.#isMuted()
    for (const speaker of [0, 1] as const) {
      const ring = this.#rings[speaker]
      const voice = voices[speaker]
      for (let i = 0; i < BLOCK; i++) {
        const at = (start + i) % RING
        voice[i] = muted ? 0 : (ring[at] as number)
        ring[at] = 0
      }
    }
    this.#block.silent = this.#mixer.mix(voices[0], voices[1], mixed)
    this.#block.fromMs = this.#head / SAMPLES_PER_MS
    this.#head += BLOCK
    this.#emit(this.#block)
  }

  #isMuted(): boolean {
    const first = this.#muted[0]
    if (first === undefined) return false
    if (first.to <= this.#head) {
      this.#muted.shift()
      return this.#isMuted()
    }
    return first.from < this.#head + BLOCK
  }
}
