import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { SetupError } from './progress.mjs'

const neededMajor = 26

/**
 * The Node that runs the project: the one that came as a platform package, else one of this machine that is new enough.
 * @param {string} project
 * @returns {string} its path
 */
export function findNode(project) {
  const packaged = join(project, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(packaged)) return packaged
  const local = [process.execPath, ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))]
  const found = local.find((node) => existsSync(node) && majorOf(node) >= neededMajor)
  if (found !== undefined) return found
  throw new SetupError(
    `Centrala runs on Node ${neededMajor}, which does not come as an npm package for ${process.platform} ${process.arch}. ` +
      `Install Node ${neededMajor} or newer (https://nodejs.org, or on a Mac: brew install node@${neededMajor}), put it on the PATH, and run the command again.`,
  )
}

/** @param {string} node */
function majorOf(node) {
  try {
    return Number(/^v(\d+)\./.exec(execFileSync(node, ['--version'], { encoding: 'utf8' }))?.[1] ?? 0)
  } catch {
    return 0
  }
}
