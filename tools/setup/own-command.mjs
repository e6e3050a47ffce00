import { lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Puts `centrala` among the commands of node_modules, where every npx finds it at once. Without, a new npx copies the project's command into
 * a cache of its own first, and an old one (npm 8) does not find it at all.
 * @param {string} project
 */
export function ensureOwnCommand(project) {
  const folder = join(project, 'node_modules', '.bin')
  const link = join(folder, 'centrala')
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return
  try {
    mkdirSync(folder, { recursive: true })
    symlinkSync(join('..', '..', 'tools', 'centrala.mjs'), link)
  } catch {
    // Another command made it meanwhile, or node_modules is not ours to write: npx has its own way then.
  }
}
