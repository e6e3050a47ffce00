import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Longest folder whose sockets still fit sun_path (108 bytes with its final zero). */
const longestSocketFolder = 80

/** The folder of local sockets that belongs to a data folder: inside it, unless that path is too long for a socket. */
export function runFolderOf(dataFolder: string): string {
  const usual = join(dataFolder, 'run')
  if (Buffer.byteLength(usual) <= longestSocketFolder) return usual
  return join(tmpdir(), `centrala-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 12)}`)
}

/**
 * Creates a folder only its owner may enter, or closes the one that is there.
 * @throws Error when somebody else made it first, as anybody can in a shared temporary folder.
 */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== process.getuid?.()) throw new Error(`${folder} is not a folder of ours`)
  if ((found.mode & 0o077) !== 0) chmodSync(folder, 0o700)
}
