import type { Millis } from '#base/clock.ts'
import type { Gap } from '#media/engine.ts'
import { type AudioBody, OpusBody, type PacketEncoder, type Reopened, reopenOpus, reopenWav, WavBody } from '#media/record/audio-body.ts'
import type { Disk, FileSink } from '#media/record/file-sink.ts'
import type { Recorded, VoiceFrame } from '#media/record/recorder.ts'
import { readSidecar, sidecarOf, writeSidecar } from '#media/record/sidecar.ts'
import { type Block, Timeline } from '#media/record/timeline.ts'
import { TurnDetector } from '#media/record/turns.ts'

/** After trouble with the disk it is tried again so often. */
const RETRY_MS: Millis = 5000

/** Turns and gaps are written beside the audio so often, for the case that the process dies. */
const SIDECAR_MS: Millis = 10_000

/** Stretches shorter than this are not worth telling. */
const SHORTEST_GAP_MS: Millis = 20

const BLOCK_MS = 20

export interface RecordingFileSpec {
  file: string
  format: 'opus' | 'wav'
  resume: boolean
}

/** What one recording needs: the disk, an encoder of its own, and somebody to tell of trouble. */
export interface RecordingFileNeeds {
  disk: Disk
  encoder: PacketEncoder
  onFailed(cause: string): void
}

/**
 * One recording, from frames to the file: timeline, mix, turns, encoding, pages. All instants are milliseconds since the
 * recording's zero. Nothing throws: while the disk refuses, audio is left out and the stretch becomes a gap.
 */
export class RecordingFile {
  readonly #spec: RecordingFileSpec
  readonly #needs: RecordingFileNeeds
  readonly #timeline: Timeline
  readonly #turns: TurnDetector
  readonly #gaps: Gap[]
  readonly #silence = new Int16Array(160)
  /** Where a gap that is known to have begun, and only ends with the first audio, begins. */
  #lostFrom: Millis | null = null
  #paused: { from: Millis; why: string } | null = null
  #sink: FileSink | null = null
  #body: AudioBody | null = null
  #trouble: { from: Millis; cause: string; retryAt: Millis; blocks: number } | null = null
  #sidecarAt: Millis = SIDECAR_MS
  #stopped = false

  constructor(spec: RecordingFileSpec, needs: RecordingFileNeeds) {
    this.#spec = spec
    this.#needs = needs
    const before = this.#tryOpen()
    const earlier = spec.resume ? readSidecar(needs.disk.text(sidecarOf(spec.file))) : { turns: [], gaps: [] }
    this.#gaps = earlier.gaps.filter((gap) => gap.fromMs < before.ms)
    this.#turns = new TurnDetector(earlier.turns.filter((turn) => turn.fromMs < before.ms))
    this.#timeline = new Timeline((block) => this.#take(block), before.ms)
    if (before.links > 0) this.#lostFrom = before.ms
  }

  frame(frame: VoiceFrame): void {
    if (this.#stopped) return
    this.#endLoss(frame.at)
    this.#timeline.frame(frame)
  }

  advance(now: Millis): void {
    if (this.#stopped) return
    this.#endLoss(now)
    this.#timeline.advance(now)
  }

  pause(at: Millis, why: string): void {
    if (this.#stopped || this.#paused !== null) return
    this.#endLoss(at)
    this.#paused = { from: at, why }
    this.#timeline.mute(at)
  }

  resume(at: Millis): void {
    if (this.#stopped || this.#paused === null) return
    this.#timeline.unmute(at)
    this.#gap(this.#paused.from, at, this.#paused.why)
    this.#paused = null
  }

  /** Something between is known to be missing. */
  lost(from: Millis, to: Millis, why: string): void {
    if (!this.#stopped) this.#gap(from, to, why)
  }

  /** Ends the recording at `at`; resolves when it is on disk, with what there is. */
  async stop(at: Millis): Promise<Recorded> {
    this.#endLoss(at)
    this.resume(at)
    this.#timeline.finish(at)
    this.#stopped = true
    this.#turns.finish()
    this.#finishBody()
    const ms = this.#timeline.ms
    this.#gaps.sort((a, b) => a.fromMs - b.fromMs)
    this.#writeSidecar(true)
    const bytes = this.#sink?.size ?? 0
    await this.#sink?.finish()
    return { file: this.#spec.file, ms, bytes, turns: this.#turns.turns, gaps: this.#gaps }
  }

  #take(block: Block): void {
    for (const speaker of [0, 1] as const) this.#turns.block(speaker, block.fromMs, block.voices[speaker])
    if (this.#trouble !== null && !this.#retry(block.fromMs)) return
    this.#attempt(block.fromMs + BLOCK_MS, () => this.#body?.block(block.mixed, block.silent))
    if (block.fromMs >= this.#sidecarAt) {
      this.#sidecarAt = block.fromMs + SIDECAR_MS
      this.#writeSidecar(false)
    }
  }

  /** Tries again after trouble, now and then. True when the file is writable again, and filled up with silence. */
  #retry(now: Millis): boolean {
    const trouble = this.#trouble
    if (trouble === null) return true
    trouble.blocks++
    if (now < trouble.retryAt) return false
    trouble.retryAt = now + RETRY_MS
    return this.#recover(trouble, now)
  }

  #recover(trouble: { from: Millis; cause: string; blocks: number }, now: Millis): boolean {
    try {
      if (this.#body === null) trouble.blocks -= Math.floor(this.#open().ms / BLOCK_MS)
      this.#body?.retry()
      while (trouble.blocks > 1) {
        trouble.blocks--
        this.#body?.block(this.#silence, true)
      }
    } catch {
      return false
    }
    this.#trouble = null
    this.#gap(trouble.from, now, trouble.cause)
    return true
  }

  #attempt(from: Millis, write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#fail(from, error)
    }
  }

  #fail(from: Millis, error: unknown): void {
    const cause = error instanceof Error ? error.message : String(error)
    this.#trouble = { from, cause, retryAt: from + RETRY_MS, blocks: 0 }
    this.#needs.onFailed(cause)
  }

  #tryOpen(): Reopened {
    try {
      return this.#open()
    } catch (error) {
      this.#fail(0, error)
      return { ms: 0, links: 0 }
    }
  }

  #open(): Reopened {
    const { file, format, resume } = this.#spec
    this.#sink ??= this.#needs.disk.open(file, resume)
    const before = resume ? (format === 'opus' ? reopenOpus : reopenWav)(this.#sink) : { ms: 0, links: 0 }
    this.#body = format === 'opus' ? new OpusBody(this.#sink, this.#needs.encoder, serialOf(file, before.links)) : new WavBody(this.#sink)
    this.#body.retry()
    return before
  }

  #finishBody(): void {
    const trouble = this.#trouble
    if (trouble !== null) {
      trouble.blocks++
      if (!this.#recover(trouble, this.#timeline.ms)) {
        this.#gap(trouble.from, this.#timeline.ms, trouble.cause)
        return
      }
    }
    this.#attempt(this.#timeline.ms, () => this.#body?.finish())
  }

  #writeSidecar(complete: boolean): void {
    const sidecar = { version: 1, ms: this.#timeline.ms, complete, turns: this.#turns.turns, gaps: this.#gaps } as const
    try {
      this.#needs.disk.replace(sidecarOf(this.#spec.file), writeSidecar(sidecar))
    } catch {
      // The audio tells of a full disk; its turns are tried again with the next.
    }
  }

  #endLoss(at: Millis): void {
    if (this.#lostFrom === null) return
    this.#gap(this.#lostFrom, at, 'the recorder was restarted')
    this.#lostFrom = null
  }

  #gap(fromMs: Millis, toMs: Millis, why: string): void {
    if (toMs - fromMs >= SHORTEST_GAP_MS) this.#gaps.push({ fromMs: Math.round(fromMs), toMs: Math.round(toMs), why })
  }
}

/** A serial number per logical stream of a file (RFC 3533 §4: unique within the physical stream). FNV-1a. */
function serialOf(file: string, link: number): number {
  let hash = 0x811c9dc5
  for (const character of `${link}:${file}`) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
