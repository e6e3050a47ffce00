import { statfsSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'

/** A new database and its log of changes take about 60 MB. */
const neededMb = 100

/** Why the folders of an installation cannot be made or written, and what a person can do about it. */
export function folderTrouble(folder: string, fault: unknown): string {
  const code = fault instanceof Error && 'code' in fault ? fault.code : null
  const other = 'or choose another folder with CENTRALA_DATA_FOLDER.'
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `The user ${userInfo().username} may not write in the data folder ${folder}. Let that user own it (chown -R), ${other}`
    case 'EROFS':
    // What Node says of a read-only file system when it makes a folder and those above it.
    case 'ENOENT':
      return `The data folder ${folder} lies where nothing can be written (read-only). Mount it otherwise, ${other}`
    case 'ENOSPC':
    case 'EDQUOT':
      return `No space is left for the data folder ${folder}. Make room, ${other}`
    case 'ENOTDIR':
    case 'EEXIST':
      return `The data folder ${folder} is not a folder. Remove what is there, ${other}`
    default:
      return `${fault instanceof Error ? fault.message : String(fault)}${strangersFolder(folder)}`
  }
}

/** A sentence about a disk that is full, for a failure that may come from it; empty while there is room. */
export function spaceHint(folder: string): string {
  const freeMb = freeMbAt(folder)
  if (freeMb === null || freeMb >= neededMb) return ''
  return `Only ${Math.floor(freeMb)} MB are free where ${folder} lies; a database needs ${neededMb}. Make room, or choose another folder with CENTRALA_DATA_FOLDER.`
}

function freeMbAt(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return (bavail * bsize) / 1_000_000
  } catch {
    return null
  }
}

/** Whoever starts once as root and then as a user finds folders that are root's. */
function strangersFolder(folder: string): string {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid
  if (owner === undefined || owner === process.getuid?.()) return ''
  const who = owner === 0 ? 'root' : `the user with the number ${owner}`
  return `. The data folder ${folder} belongs to ${who}: start Centrala as that user, or choose another folder with CENTRALA_DATA_FOLDER.`
}
