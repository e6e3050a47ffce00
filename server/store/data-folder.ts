import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'

/** Where the system keeps everything it must not lose, and why there. */
export interface DataFolder {
  readonly path: string
  /** One sentence for the person who started the system; null when it is the usual place. */
  readonly because: string | null
}

/**
 * The data folder of the installation in `project`: `wanted` if given, else `<project>/data`, else, when that cannot be written or the
 * database's own user could not reach it, a folder of its own below `/var/lib/centrala` (root) or `~/.local/state/centrala`.
 */
export function chooseDataFolder(project: string, wanted?: string): DataFolder {
  if (wanted !== undefined && wanted !== '') return { path: resolve(wanted), because: null }
  const usual = join(resolve(project), 'data')
  const isRoot = process.getuid?.() === 0
  if (isRoot && !othersMayEnter(usual)) {
    return {
      path: elsewhere('/var/lib/centrala', project),
      because: `the database runs as a user of its own, who may not enter ${resolve(project)}`,
    }
  }
  if (!canWrite(usual)) {
    const home = isRoot ? '/var/lib/centrala' : join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'centrala')
    return { path: elsewhere(home, project), because: `${resolve(project)} cannot be written` }
  }
  return { path: usual, because: null }
}

/** Two clones on one machine do not share data: the name says whose it is. */
function elsewhere(root: string, project: string): string {
  const name = basename(resolve(project)).replace(/[^A-Za-z0-9._-]/g, '_') || 'root'
  return join(root, `${name}-${createHash('sha256').update(resolve(project)).digest('hex').slice(0, 8)}`)
}

/** Makes a folder, and what is missing on the way to it, such that others may pass through, whatever the umask: the database's own user has to. */
export function makePassage(folder: string): void {
  if (existsSync(folder)) return
  makePassage(dirname(folder))
  mkdirSync(folder)
  chmodSync(folder, 0o711)
}

function canWrite(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true })
    return true
  } catch {
    return false
  }
}

/** Whether a user who owns nothing may enter every existing folder on the way to `path`, itself included. */
export function othersMayEnter(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    const mode = statSync(at, { throwIfNoEntry: false })?.mode
    if (mode !== undefined && (mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}
