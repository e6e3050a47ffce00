import type { Millis } from '#base/clock.ts'
import type { Codec, Gap, SpeakerTurn } from '#media/engine.ts'

/**
 * Records calls to files, off the packet path: frames are copied into a batch, the batch goes to a worker thread, and there
 * they are put on one timeline, mixed, encoded and written. A recording that fails never touches its call: nothing here
 * throws or waits, what cannot be kept is left out and marked as a gap.
 */
export interface Recorder {
  /** Starts a recording. The folder must exist or be creatable; trouble comes as `onFailed`. */
  open(spec: RecordingSpec, events: RecordingEvents): Recording
  /** To be called from the engine's heartbeat: hands over what has gathered (every 250 ms or so) and keeps silent recordings moving. */
  tick(now: Millis): void
  /** Ends every recording and the worker. Resolves when all is on disk. */
  close(now: Millis): Promise<void>
  readonly load: RecorderLoad
}

export interface RecorderLoad {
  /** Recordings under way. */
  open: number
  /** Batches handed to the worker and not yet done. */
  queued: number
  /** Frames left out because the worker was too far behind, since the start. */
  shed: number
}

export interface RecordingSpec {
  file: string
  format: 'opus' | 'wav'
  /** The instant of the recording's zero, on the clock that `frame` uses. */
  startedAt: Millis
  /** Stops by itself after so long. */
  maxMs?: Millis
  /**
   * The file may exist, left by a process that died: keep what is whole in it and go on behind it, as a next link of the chained
   * Ogg stream. `startedAt` must then be the instant the recording first began, on the present clock; the stretch between is a gap.
   */
  resume?: boolean
}

/** One packet of audio as a recording takes it. */
export interface VoiceFrame {
  speaker: 0 | 1
  /** When it arrived, or was sent. */
  at: Millis
  /** Its RTP timestamp, any origin, on the codec's clock: places it exactly, whatever the network's jitter. */
  timestamp: number
  codec: Codec
  /** At most 120 ms. */
  payload: Uint8Array
}

export interface Recording {
  readonly file: string
  /** One packet of a speaker, copied before the call returns: the object may be used again. Never throws; after `stop` nothing happens. */
  frame(frame: VoiceFrame): void
  /** From here silence is written, and marked as a gap with this reason (card data is being spoken). */
  pause(at: Millis, why: string): void
  resume(at: Millis): void
  /** Idempotent. `onRecorded` follows. */
  stop(at: Millis): void
}

export interface RecordingEvents {
  /** Complete on disk, with `<file>.json` beside it. */
  onRecorded(recorded: Recorded): void
  /** Something could not be written. The file is valid up to there; the recorder tries again every 5 s, and the stretch is a gap. Once per trouble. */
  onFailed(file: string, cause: string): void
}

export interface Recorded {
  file: string
  ms: Millis
  bytes: number
  turns: readonly SpeakerTurn[]
  gaps: readonly Gap[]
}
