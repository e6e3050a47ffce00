import { join } from 'node:path'
import { isTenantId, type TenantId } from '#server/store/index.ts'

/** Whether this may name a recording: letters, digits, `_` and `-`, 1 to 80. Nothing that a file system could read as a path. */
export function isRecordingId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,80}$/.test(text)
}

/** The path of a recording below its company's folder: `<yyyy>/<mm>/<dd>/<id>.ogg`, the UTC day of `wall`. Throws RangeError for a bad id. */
export function recordingPath(recording: string, wall: number): string {
  if (!isRecordingId(recording)) throw new RangeError('not a recording id')
  const [year = '', month = '', day = ''] = new Date(wall).toISOString().slice(0, 10).split('-')
  return join(year, month, day, `${recording}.ogg`)
}

/** The file of a stored path in a company's folder below `root`. Null for anything that could lead out of it. */
export function recordingFile(root: string, tenant: TenantId, path: string): string | null {
  if (!isTenantId(tenant) || !/^\d{4}\/\d{2}\/\d{2}\/[A-Za-z0-9_-]{1,80}\.ogg$/.test(path)) return null
  return join(root, tenant, path)
}
