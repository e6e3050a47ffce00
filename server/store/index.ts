export {
  isTenantId,
  StoreAwayError,
  StoreBusyError,
  type Store,
  type StoreHealth,
  type SystemDb,
  type TenantDb,
  type TenantId,
} from '#server/store/face.ts'
export { openStore, type StoreSettings } from '#server/store/store.ts'
export type { EmbeddedPostgres, EmbeddedPostgresSettings, StoreUrls } from '#server/store/settings.ts'
export { BadCursorError, makeCursor, parseCursor } from '#server/store/cursor.ts'
