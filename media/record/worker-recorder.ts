import type { Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { FrameBatch, LONGEST_PAYLOAD } from '#media/record/frame-batch.ts'
import type { FromWorker, ToWorker } from '#media/record/messages.ts'
import { type RecorderThread, type StartThread, startWorkerThread } from '#media/record/recorder-thread.ts'
import type { Recorder, RecorderLoad, Recording, RecordingEvents, RecordingSpec, VoiceFrame } from '#media/record/recorder.ts'

const BATCH_BYTES = 65_536

/** Batches that may wait for the worker: 4 MB, some 2 s of 100 recordings. Beyond, frames are shed. */
const MOST_QUEUED = 64

/** What has gathered is handed over at least so often. */
const FLUSH_MS: Millis = 250

/** A worker that dies again so soon is left alone for so long. */
const RESTART_MS: Millis = 5000

/**
 * A recording stops by itself after so long, unless told otherwise: one whose end was lost shall not grow for ever. Longer than any call,
 * which a company may let last for a day. The file has room: 140 MB of Opus, or 1.5 GB as WAV, whose header could tell of 4.
 */
const LONGEST_MS: Millis = 26 * 3_600_000

interface Entry {
  id: number
  spec: RecordingSpec
  events: RecordingEvents
  maxMs: Millis
  paused: { at: Millis; why: string } | null
  /** Frames are being shed since. */
  shedFrom: Millis | null
  lastAt: Millis
  stopped: boolean
  /** A worker has opened its file: another one has to go on behind what is in it. */
  opened: boolean
}

/** The recorder of one engine, over one worker thread, which starts with the first recording and is started again if it dies. */
export class WorkerRecorder implements Recorder {
  readonly #log: Log
  readonly #startThread: StartThread
  readonly #entries = new Map<number, Entry>()
  readonly #spare: ArrayBuffer[] = []
  #thread: RecorderThread | null = null
  #batch: FrameBatch | null = null
  #flushedAt: Millis = 0
  #now: Millis = 0
  #startedAt: Millis = Number.NEGATIVE_INFINITY
  #nextId = 1
  #queued = 0
  #shed = 0
  #closed: (() => void) | null = null

  constructor(log: Log, startThread: StartThread = startWorkerThread) {
    this.#log = log
    this.#startThread = startThread
  }

  get load(): RecorderLoad {
    return { open: this.#entries.size, queued: this.#queued, shed: this.#shed }
  }

  open(spec: RecordingSpec, events: RecordingEvents): Recording {
    const entry: Entry = {
      id: this.#nextId++,
      spec,
      events,
      maxMs: spec.maxMs ?? LONGEST_MS,
      paused: null,
      shedFrom: null,
      lastAt: 0,
      stopped: false,
      opened: false,
    }
    this.#entries.set(entry.id, entry)
    this.#now = Math.max(this.#now, spec.startedAt)
    if (this.#thread === null) this.#start(this.#now)
    else this.#openIn(entry)
    return {
      file: spec.file,
      frame: (frame) => this.#frame(entry, frame),
      pause: (at, why) => this.#pause(entry, at, why),
      resume: (at) => this.#resume(entry, at),
      stop: (at) => this.#stop(entry, at),
    }
  }

  tick(now: Millis): void {
    this.#now = now
    if (this.#entries.size === 0) return
    for (const entry of this.#entries.values()) if (!entry.stopped && now - entry.spec.startedAt >= entry.maxMs) this.#stop(entry, now)
    if (this.#thread === null && now - this.#startedAt >= RESTART_MS) this.#start(now)
    if (now - this.#flushedAt >= FLUSH_MS) this.#flush(now)
  }

  async close(now: Millis): Promise<void> {
    for (const entry of this.#entries.values()) this.#stop(entry, now)
    if (this.#thread !== null && this.#entries.size > 0) await new Promise<void>((resolve) => (this.#closed = resolve))
    const thread = this.#thread
    this.#thread = null
    await thread?.end()
  }

  #frame(entry: Entry, frame: VoiceFrame): void {
    if (entry.stopped || entry.paused !== null || frame.payload.length > LONGEST_PAYLOAD) return
    const { startedAt } = entry.spec
    const since = frame.at - startedAt
    entry.lastAt = since
    if (this.#thread === null || !this.#room()) {
      this.#shed++
      entry.shedFrom ??= since
      return
    }
    this.#endShedding(entry, since)
    if (this.#current().add(entry.id, startedAt, frame)) return
    this.#flush(frame.at)
    this.#current().add(entry.id, startedAt, frame)
  }

  #pause(entry: Entry, at: Millis, why: string): void {
    if (entry.stopped || entry.paused !== null) return
    entry.paused = { at: at - entry.spec.startedAt, why }
    this.#command({ kind: 'pause', recording: entry.id, at: entry.paused.at, why })
  }

  #resume(entry: Entry, at: Millis): void {
    if (entry.stopped || entry.paused === null) return
    entry.paused = null
    this.#command({ kind: 'resume', recording: entry.id, at: at - entry.spec.startedAt })
  }

  #stop(entry: Entry, at: Millis): void {
    if (entry.stopped) return
    entry.stopped = true
    entry.lastAt = at - entry.spec.startedAt
    this.#endShedding(entry, entry.lastAt)
    this.#command({ kind: 'stop', recording: entry.id, at: entry.lastAt })
  }

  #endShedding(entry: Entry, to: Millis): void {
    if (entry.shedFrom === null) return
    this.#command({ kind: 'lost', recording: entry.id, from: entry.shedFrom, to, why: 'the recorder was overloaded' })
    entry.shedFrom = null
  }

  /** Room for one frame more. */
  #room(): boolean {
    return this.#queued < MOST_QUEUED
  }

  #current(): FrameBatch {
    this.#batch ??= new FrameBatch(this.#spare.pop() ?? new ArrayBuffer(BATCH_BYTES))
    return this.#batch
  }

  /** Hands over what has gathered, or only the time. */
  #flush(now: Millis): void {
    this.#flushedAt = now
    const batch = this.#batch
    if (this.#thread === null) return
    if (batch === null) {
      if (this.#room()) this.#thread.post({ kind: 'tick', now })
      return
    }
    this.#batch = null
    this.#queued++
    const { buffer } = batch.bytes
    this.#thread.post({ kind: 'frames', buffer, length: batch.length, now })
  }

  /** Frames that came before a command are handed over before it. */
  #command(message: ToWorker): void {
    if (this.#batch !== null) this.#flush(this.#now)
    this.#thread?.post(message)
  }

  #start(now: Millis): void {
    this.#startedAt = now
    const thread = this.#startThread({
      told: (message) => this.#told(message),
      ended: (cause) => this.#ended(thread, cause),
    })
    this.#thread = thread
    for (const entry of this.#entries.values()) this.#openIn(entry)
  }

  #openIn(entry: Entry): void {
    const { file, format, startedAt } = entry.spec
    const resume = entry.opened || (entry.spec.resume ?? false)
    entry.opened = true
    this.#thread?.hold(true)
    this.#command({ kind: 'open', recording: entry.id, startedAt, spec: { file, format, resume } })
    if (entry.paused !== null) this.#command({ kind: 'pause', recording: entry.id, ...entry.paused })
    if (entry.stopped) this.#command({ kind: 'stop', recording: entry.id, at: entry.lastAt })
  }

  #told(message: FromWorker): void {
    if (message.kind === 'done') {
      this.#queued--
      if (this.#spare.length < 4) this.#spare.push(message.buffer)
      return
    }
    const entry = this.#entries.get(message.recording)
    if (entry === undefined) return
    if (message.kind === 'failed') {
      entry.events.onFailed(entry.spec.file, message.cause)
      return
    }
    this.#entries.delete(entry.id)
    if (this.#entries.size === 0) {
      this.#thread?.hold(false)
      this.#closed?.()
    }
    entry.events.onRecorded(message.recorded)
  }

  /** The worker died: its recordings go on in a new one, after what is whole in their files. */
  #ended(thread: RecorderThread, cause: string | null): void {
    if (this.#thread !== thread) return
    this.#log.error('the recorder died', { cause, recordings: this.#entries.size })
    this.#thread = null
    this.#batch = null
    this.#queued = 0
    for (const entry of this.#entries.values()) entry.shedFrom = null
    if (this.#closed !== null) return this.#closed()
    if (this.#entries.size > 0 && this.#now - this.#startedAt >= RESTART_MS) this.#start(this.#now)
  }
}
