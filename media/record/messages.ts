import type { Millis } from '#base/clock.ts'
import type { RecordingFileSpec } from '#media/record/recording-file.ts'
import type { Recorded } from '#media/record/recorder.ts'

/** What the engine's thread tells the recorder's worker. Recordings go by number; instants count from each one's zero, `now` is the engine's clock. */
export type ToWorker =
  | { kind: 'open'; recording: number; startedAt: Millis; spec: RecordingFileSpec }
  /** Goes back with `done`. `now` moves every recording on. */
  | { kind: 'frames'; buffer: ArrayBuffer; length: number; now: Millis }
  | { kind: 'tick'; now: Millis }
  | { kind: 'pause'; recording: number; at: Millis; why: string }
  | { kind: 'resume'; recording: number; at: Millis }
  | { kind: 'lost'; recording: number; from: Millis; to: Millis; why: string }
  | { kind: 'stop'; recording: number; at: Millis }

/** What the worker tells back. */
export type FromWorker =
  | { kind: 'done'; buffer: ArrayBuffer }
  | { kind: 'recorded'; recording: number; recorded: Recorded }
  | { kind: 'failed'; recording: number; cause: string }
