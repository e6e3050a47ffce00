/** The cursor was not made by this system. An HTTP edge answers 400. */
export class BadCursorError extends Error {
  override readonly name = 'BadCursorError'
}

/** Where a page of rows in order of instant and id ended; opaque to those who carry it. */
export function makeCursor(at: number, id: string): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url')
}

/** Reads a cursor back. Throws `BadCursorError`. */
export function parseCursor(cursor: string): { at: Date; id: string } {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (typeof at === 'number' && Math.abs(at) < 8.64e15 && typeof id === 'string' && !id.includes('\0')) return { at: new Date(at), id }
  } catch {
    // Falls through to the refusal.
  }
  throw new BadCursorError('the cursor is not one of ours')
}
