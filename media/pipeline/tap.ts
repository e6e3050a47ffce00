import type { Recording, VoiceFrame } from '#media/record/recorder.ts'

/** The recordings that listen to one endpoint, both to what it hears and to what it sends. */
export class Tap {
  #recordings: Recording[] | null = null

  /** Whether anybody listens: worth a look before a frame is made. */
  get isOpen(): boolean {
    return this.#recordings !== null
  }

  frame(frame: VoiceFrame): void {
    for (const recording of this.#recordings ?? []) recording.frame(frame)
  }

  add(recording: Recording): void {
    this.#recordings = [...(this.#recordings ?? []), recording]
  }

  remove(recording: Recording): void {
    const left = (this.#recordings ?? []).filter((each) => each !== recording)
    this.#recordings = left.length === 0 ? null : left
  }
}
