import type { Readable } from 'node:stream'
import type { FinishedRecording } from '#calls/needs.ts'
import type { TenantId } from '#server/store/face.ts'

/** Recordings of all companies: files below one folder, rows beside them. Also the calls room's `Archive`. */
export interface Recordings {
  /** A file name for a new recording, in a folder that exists: `<data>/recordings/<tenant>/<yyyy>/<mm>/<dd>/<id>.ogg`, dates in UTC. */
  place(tenant: TenantId, recording: string): string
  /** Takes a complete recording: it is remembered at once (journal), gets its row as soon as PostgreSQL takes it, and is mailed after its call. */
  finished(recording: FinishedRecording): void
  /** Newest first. `cursor`: from the page before; a foreign one is refused with `BadCursorError`. */
  list(
    tenant: TenantId,
    query?: { call?: string; limit?: number; cursor?: string },
  ): Promise<{ recordings: RecordingRow[]; next: string | null }>
  /** Null: no such recording here. */
  get(tenant: TenantId, id: string): Promise<RecordingRow | null>
  /** The audio, or a byte range of it (`end` inclusive). Null: no such recording, or its file is gone (`expiredAt` says when, if that was its time). The caller consumes or destroys the stream. */
  open(tenant: TenantId, id: string, range?: { start: number; end?: number }): Promise<RecordingStream | null>
  /** The audio file. Null: no such recording here, or it was deleted when its time was over. */
  file(tenant: TenantId, id: string): Promise<string | null>
  close(): Promise<void>
}

export interface RecordingRow {
  readonly id: string
  readonly call: string
  readonly startedAt: number
  readonly ms: number
  readonly bytes: number
  /** Who spoke when; speaker 0 is the caller's side. */
  readonly turns: readonly { speaker: 0 | 1; fromMs: number; toMs: number }[]
  readonly gaps: readonly { fromMs: number; toMs: number; why: string }[]
  readonly mailedAt: number | null
  readonly mailedTo: string | null
  /** After this it is deleted; null: it is kept. */
  readonly keepUntil: number | null
  /** When its audio was deleted; the row stays. */
  readonly expiredAt: number | null
}
export interface RecordingStream {
  readonly audio: Readable
  readonly contentType: string
  /** Of the whole file. */
  readonly size: number
  readonly start: number
  /** Inclusive. */
  readonly end: number
}

/** What a company wants done with its recordings, answered from its current configuration. Null: none is mailed. */
export type RecordingMailPolicy = (tenant: TenantId) => RecordingMailWish | null
export interface RecordingMailWish {
  /** Who gets every recording of the company, beside those the recording itself names. */
  readonly to: readonly string[]
  readonly language: 'en' | 'ru'
  /** IANA name, for the times in the text. */
  readonly timeZone: string
  readonly company: string
}
