import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ApiKeys, Role } from '#server/access/face.ts'

/**
 * The key in `file`, readable by this system's own user only: how commands at the terminal, and a newcomer's first look at the page, get in. Made
 * on first use; made anew when it was revoked or belongs to another database.
 */
export async function localKey(keys: ApiKeys, file: string, of: { tenant: string | null; name: string; role: Role }): Promise<string> {
  const found = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => null,
  )
  if (found !== null && (await isGood(keys, found))) return found
  const { key } = await keys.create(of)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${key}\n`, { mode: 0o600 })
  return key
}

/** While the database is away nobody can tell; the key was good when it was written. */
async function isGood(keys: ApiKeys, key: string): Promise<boolean> {
  try {
    return (await keys.verify(key)) !== null
  } catch {
    return true
  }
}
