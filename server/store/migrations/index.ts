import type { Migration } from '#server/store/migrate.ts'
import { base } from '#server/store/migrations/0001-base.ts'
import { recordingKeep } from '#server/store/migrations/0002-recording-keep.ts'

/** Every change of the schema, in the order in which they are made. Never edited once released; only added to. */
export const migrations: readonly Migration[] = [base, recordingKeep]
