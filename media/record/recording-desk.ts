import type { Millis } from '#base/clock.ts'
import type { PacketEncoder } from '#media/record/audio-body.ts'
import type { Disk } from '#media/record/file-sink.ts'
import { readBatch } from '#media/record/frame-batch.ts'
import type { FromWorker, ToWorker } from '#media/record/messages.ts'
import { opusEncoder } from '#media/record/opus-encoder.ts'
import { RecordingFile } from '#media/record/recording-file.ts'

interface Entry {
  file: RecordingFile
  startedAt: Millis
  encoder: PacketEncoder & { free(): void }
}

/** Every recording of one engine: takes the messages in order and carries them out. What the worker thread runs. */
export class RecordingDesk {
  readonly #disk: Disk
  readonly #tell: (message: FromWorker) => void
  readonly #entries = new Map<number, Entry>()
  /** Messages are taken one after another: an encoder may take a moment to open. */
  #last: Promise<void> = Promise.resolve()

  constructor(disk: Disk, tell: (message: FromWorker) => void) {
    this.#disk = disk
    this.#tell = tell
  }

  /** Takes a message; resolves when it has been carried out. */
  handle(message: ToWorker): Promise<void> {
    this.#last = this.#last.then(() => this.#carryOut(message)).catch((error: unknown) => this.#trouble(message, error))
    return this.#last
  }

  #trouble(message: ToWorker, error: unknown): void {
    if ('recording' in message) this.#tell({ kind: 'failed', recording: message.recording, cause: String(error) })
  }

  #carryOut(message: ToWorker): Promise<void> | void {
    switch (message.kind) {
      case 'open':
        return this.#open(message)
      case 'frames':
        return this.#frames(message)
      case 'tick':
        return this.#advance(message.now)
      case 'pause':
        return this.#entries.get(message.recording)?.file.pause(message.at, message.why)
      case 'resume':
        return this.#entries.get(message.recording)?.file.resume(message.at)
      case 'lost':
        return this.#entries.get(message.recording)?.file.lost(message.from, message.to, message.why)
      case 'stop':
        return this.#stop(message.recording, message.at)
    }
  }

  async #open({ recording, startedAt, spec }: Extract<ToWorker, { kind: 'open' }>): Promise<void> {
    const encoder = await opusEncoder()
    const onFailed = (cause: string): void => this.#tell({ kind: 'failed', recording, cause })
    this.#entries.set(recording, { file: new RecordingFile(spec, { disk: this.#disk, encoder, onFailed }), startedAt, encoder })
  }

  #frames({ buffer, length, now }: Extract<ToWorker, { kind: 'frames' }>): void {
    readBatch(buffer, length, (recording, frame) => this.#entries.get(recording)?.file.frame(frame))
    this.#advance(now)
    this.#tell({ kind: 'done', buffer })
  }

  #advance(now: Millis): void {
    for (const { file, startedAt } of this.#entries.values()) file.advance(now - startedAt)
  }

  #stop(recording: number, at: Millis): void {
    const entry = this.#entries.get(recording)
    if (entry === undefined) return
    this.#entries.delete(recording)
    // Not waited for: a disk that is slow to sync holds up no other recording.
    void entry.file.stop(at).then((recorded) => {
      entry.encoder.free()
      this.#tell({ kind: 'recorded', recording, recorded })
    })
  }
}
