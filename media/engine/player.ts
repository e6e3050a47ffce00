import type { Millis } from '#base/clock.ts'
import { G711_PER_MS, SILENCE, type G711Law } from '#media/codec/g711.ts'
import type { Clip } from '#media/engine/clip.ts'

/** Plays clips one after another, packet by packet. Knows nothing of time or sockets: whoever sends asks for the next octets. */
export class Player {
  readonly codec: G711Law
  readonly #clips: readonly Clip[]
  readonly #loop: boolean
  #index = 0
  #offset = 0
  #played = 0

  constructor(clips: readonly Clip[], codec: G711Law, loop = false) {
    this.codec = codec
    this.#clips = clips.filter((clip) => clip.length > 0)
    this.#loop = loop
  }

  /** Nothing is left to play. */
  get ended(): boolean {
    return this.#index >= this.#clips.length
  }

  /** What was played so far; after `seek` also what was passed over. */
  get ms(): Millis {
    return Math.round(this.#played / G711_PER_MS)
  }

  /** Clips not yet played; of the one under way only what is left. */
  get rest(): Clip[] {
    return this.#clips.slice(this.#index).map((clip, i) => (i === 0 ? cut(clip, this.#offset) : clip))
  }

  /** Moves `ms` onwards without playing: as when a player is set up again in the middle. */
  seek(ms: Millis): void {
    let bytes = Math.max(0, Math.round(ms)) * G711_PER_MS
    const round = this.#clips.reduce((sum, clip) => sum + clip.length, 0)
    if (this.#loop && Number.isFinite(round) && round > 0) {
      this.#played += bytes - (bytes % round)
      bytes %= round
    }
    this.#pass(bytes, null, 0)
  }

  /** Writes the next `bytes` octets into `out` at `at`; what is missing at the end is silence. */
  fill(out: Buffer, at: number, bytes: number): void {
    const written = this.#pass(bytes, out, at)
    if (written < bytes) out.fill(SILENCE[this.codec], at + written, at + bytes)
  }

  /** As `fill`, into nowhere: time passes although nothing can be sent. */
  skip(bytes: number): void {
    this.#pass(bytes, null, 0)
  }

  #pass(bytes: number, out: Buffer | null, at: number): number {
    let done = 0
    for (let clip = this.#clips[this.#index]; clip !== undefined && done < bytes; clip = this.#clips[this.#index]) {
      const count = Math.min(bytes - done, clip.length - this.#offset)
      if (out !== null) this.#copy(clip, out.subarray(at + done, at + done + count))
      done += count
      this.#offset += count
      if (this.#offset >= clip.length) this.#next()
    }
    this.#played += done
    return done
  }

  /** Fills `target` from the present place in `clip`, round and round. */
  #copy({ octets }: Clip, target: Buffer): void {
    if (octets.length === 0) {
      target.fill(SILENCE[this.codec])
      return
    }
    let from = this.#offset % octets.length
    for (let done = 0; done < target.length; from = 0) done += octets.copy(target, done, from)
  }

  #next(): void {
    this.#offset = 0
    this.#index++
    if (this.#loop && this.#index >= this.#clips.length) this.#index = 0
  }
}

function cut(clip: Clip, from: number): Clip {
  const { octets } = clip
  const turned =
    octets.length === 0 ? octets : Buffer.concat([octets.subarray(from % octets.length), octets.subarray(0, from % octets.length)])
  return { octets: turned, length: clip.length - from }
}
