import type { Millis } from '#base/clock.ts'
import type { Codec } from '#media/engine.ts'
import type { VoiceFrame } from '#media/record/recorder.ts'

/**
 * Frames of many recordings in one buffer, on their way to the worker:
 *
 *     recording u32 | at f64 (ms since its zero) | timestamp u32 | speaker u8 | codec u8 | length u16 | payload
 */
const HEADER_BYTES = 20

/** Codecs by their number. */
const CODECS: readonly Codec[] = ['PCMU', 'PCMA', 'G722', 'opus']

/** Longest payload taken: an Opus packet of one frame; 120 ms of G.711 or G.722 are 960. */
export const LONGEST_PAYLOAD = 1275

/** Writes frames into a buffer. */
export class FrameBatch {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView
  #length = 0

  constructor(buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  /** Octets written. */
  get length(): number {
    return this.#length
  }

  /** False when the frame does not fit any more. */
  add(recording: number, startedAt: Millis, frame: VoiceFrame): boolean {
    const { payload } = frame
    const start = this.#length
    if (start + HEADER_BYTES + payload.length > this.bytes.length) return false
    this.#view.setUint32(start, recording, true)
    this.#view.setFloat64(start + 4, frame.at - startedAt, true)
    this.#view.setUint32(start + 12, frame.timestamp >>> 0, true)
    this.bytes[start + 16] = frame.speaker
    this.bytes[start + 17] = CODECS.indexOf(frame.codec)
    this.#view.setUint16(start + 18, payload.length, true)
    this.bytes.set(payload, start + HEADER_BYTES)
    this.#length = start + HEADER_BYTES + payload.length
    return true
  }
}

/** Takes the frames out of a batch, in order, `at` counting from the recording's zero. The frame object is used again, its payload a view into the batch. */
export function readBatch(buffer: ArrayBuffer, length: number, take: (recording: number, frame: VoiceFrame) => void): void {
  const bytes = new Uint8Array(buffer)
  const view = new DataView(buffer)
  const frame: VoiceFrame = { speaker: 0, at: 0, timestamp: 0, codec: 'PCMU', payload: bytes }
  for (let at = 0; at + HEADER_BYTES <= length; ) {
    const end = at + HEADER_BYTES + view.getUint16(at + 18, true)
    frame.speaker = bytes[at + 16] === 1 ? 1 : 0
    frame.at = view.getFloat64(at + 4, true)
    frame.timestamp = view.getUint32(at + 12, true)
    frame.codec = CODECS[bytes[at + 17] as number] ?? 'PCMU'
    frame.payload = bytes.subarray(at + HEADER_BYTES, end)
    take(view.getUint32(at, true), frame)
    at = end
  }
}
