import { resolve } from 'node:path'
import type { Clock, Millis } from '#base/clock.ts'
import type { EndpointId } from '#media/engine.ts'
import { type Command, type EndpointEvent, type LivingRecording, type RecordTerms, termsOf } from '#media/engine/protocol.ts'
import type { RtpEndpoint } from '#media/pipeline.ts'
import type { Recorder, Recording } from '#media/record/recorder.ts'

interface Running {
  id: EndpointId
  recording: Recording
  /** null: its endpoint is gone already; only the end is awaited. */
  endpoint: RtpEndpoint | null
  terms: RecordTerms
  startedAt: Millis
}

/** The recordings of an engine by file, each tapping one endpoint; they may end after their endpoint did. */
export class Recordings {
  readonly #recorder: Recorder
  readonly #clock: Clock
  readonly #folder: string
  readonly #emit: (id: EndpointId, event: EndpointEvent) => void
  readonly #running = new Map<string, Running>()

  /** `folder`: where relative file names begin. */
  constructor(
    { recorder, clock, folder }: { recorder: Recorder; clock: Clock; folder: string },
    emit: (id: EndpointId, event: EndpointEvent) => void,
  ) {
    this.#recorder = recorder
    this.#clock = clock
    this.#folder = folder
    this.#emit = emit
  }

  /** Starts a recording; one of this file that is under way goes on. `endpoint` null: a file left by an engine that died is only to be completed. */
  start(command: Extract<Command, { kind: 'record' }>, endpoint: RtpEndpoint | null): void {
    const { id, file, ageMs } = command
    const terms = termsOf(command)
    const { format, maxMs } = terms
    if (this.#running.has(file)) return
    const startedAt = this.#clock.now() - (ageMs ?? 0)
    const whole = this.#recorder.open(
      {
        file: resolve(this.#folder, file),
        format,
        startedAt,
        ...(maxMs === undefined ? {} : { maxMs }),
        ...(ageMs === undefined ? {} : { resume: true }),
      },
      {
        onRecorded: (recorded) => {
          this.#untap(file)
          this.#running.delete(file)
          this.#emit(id, { kind: 'recorded', ...recorded, file })
        },
        onFailed: (_file, cause) => this.#emit(id, { kind: 'record-failed', file, cause }),
      },
    )
    const recording = terms.only === 'received' ? hearing(whole) : whole
    this.#running.set(file, { id, recording, endpoint, terms, startedAt })
    endpoint?.startRecording(recording)
  }

  stop(file: string): void {
    this.#untap(file)
    this.#running.get(file)?.recording.stop(this.#clock.now())
  }

  stopAll(id: EndpointId): void {
    for (const [file, running] of this.#running) if (running.id === id) this.stop(file)
  }

  /** Recordings of an endpoint that are under way. */
  of(id: EndpointId): LivingRecording[] {
    return [...this.#running]
      .filter(([, running]) => running.id === id)
      .map(([file, { terms, startedAt }]) => ({ file, ageMs: this.#clock.now() - startedAt, ...terms }))
  }

  #untap(file: string): void {
    const running = this.#running.get(file)
    if (running === undefined) return
    running.endpoint?.stopRecording(running.recording)
    running.endpoint = null
  }
}

/** A recording that takes only what its endpoint receives. */
function hearing(inner: Recording): Recording {
  return {
    file: inner.file,
    frame(frame) {
      if (frame.speaker === 0) inner.frame(frame)
    },
    pause: (at, why) => inner.pause(at, why),
    resume: (at) => inner.resume(at),
    stop: (at) => inner.stop(at),
  }
}
