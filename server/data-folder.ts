import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** Where data goes, and why not to the folder of the project; null when it does, or when the operator chose. */
export interface ChosenDataFolder {
  folder: string
  why: string | null
}

/** What `chooseDataFolder` asks of the machine. */
export interface Machine {
  isRoot: boolean
  /** May users other than the owner pass through this existing folder? */
  othersMayEnter(folder: string): boolean
  canWrite(folder: string): boolean
}

const systemFolder = '/var/lib/centrala'

/**
 * `wanted` if given, else `data` in the project. Started by root, the embedded database runs as a user of its own, which must
 * be able to reach its files: then a project inside a closed folder (such as a home of mode 0700) keeps its data under
 * /var/lib/centrala, in a folder of its own, so that two projects never share one.
 */
export function chooseDataFolder(project: string, wanted: string | null, machine: Machine = thisMachine): ChosenDataFolder {
  if (wanted !== null) return { folder: resolve(project, wanted), why: null }
  const usual = join(project, 'data')
  if (!machine.isRoot) {
    if (machine.canWrite(project)) return { folder: usual, why: null }
    const home = join(process.env['XDG_DATA_HOME'] ?? join(process.env['HOME'] ?? tmpdir(), '.local', 'share'), 'centrala')
    return { folder: home, why: `${project} may not be written` }
  }
  const closed = ancestors(project).find((folder) => !machine.othersMayEnter(folder))
  if (closed === undefined) return { folder: usual, why: null }
  return { folder: join(systemFolder, shortHash(project)), why: `the database's own user may not enter ${closed}` }
}

/** Longest folder whose sockets still fit sun_path (108 bytes with its final zero). */
const longestSocketFolder = 80

/** The folder of local sockets that belongs to a data folder. */
export function runFolderOf(dataFolder: string): string {
  const usual = join(dataFolder, 'run')
  return Buffer.byteLength(usual) <= longestSocketFolder ? usual : join(tmpdir(), `centrala-${shortHash(dataFolder)}`)
}

/** Creates a folder only its owner may enter, unless it exists. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

const thisMachine: Machine = {
  isRoot: process.getuid?.() === 0,
  othersMayEnter: (folder) => (statSync(folder).mode & 0o001) !== 0,
  canWrite(folder) {
    try {
      accessSync(folder, constants.W_OK)
      return true
    } catch {
      return false
    }
  },
}

/** The folder itself first, the root last. */
function ancestors(folder: string): string[] {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...ancestors(parent)]
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
