import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { installCommand, installDebian, privilege, unpackDebian } from './debian.mjs'
import { say, SetupError } from './progress.mjs'

const neededMajor = 26

/** What Node is linked with and a small machine may lack, and the Debian package that brings it. */
const debianLibraries = new Map([
  ['libatomic.so.1', 'libatomic1'],
  ['libstdc++.so.6', 'libstdc++6'],
  ['libgcc_s.so.1', 'libgcc-s1'],
])

/**
 * The Node that runs the project: the one that came as a platform package, else one of this machine that is new enough. Libraries that the
 * packaged one needs and the machine lacks are installed, or, where this user may not, unpacked beside it; `LD_LIBRARY_PATH` then leads every
 * process that this one starts to them.
 * @param {string} project
 * @returns {Promise<string>} its path
 */
export async function ensureNode(project) {
  const packaged = join(project, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  const trial = tryNode(packaged)
  if (trial.major >= neededMajor) return packaged
  const local = [process.execPath, ...(process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'node'))]
  const found = local.find((node) => tryNode(node).major >= neededMajor)
  if (found !== undefined) return found
  if (trial.complaint === null) throw new SetupError(noPackage())
  await ensureLibraries(project, packaged)
  return packaged
}

/**
 * Until the Node runs: one library after the other, as the loader names the first that is missing only.
 * @param {string} project
 * @param {string} node
 */
async function ensureLibraries(project, node) {
  for (const tried = new Set(); ; ) {
    const { major, complaint } = tryNode(node)
    if (major >= neededMajor) return
    const library = missingLibrary(complaint ?? '')
    const debian = library === null ? undefined : debianLibraries.get(library)
    if (debian === undefined || tried.has(debian) || !(await provide(project, debian)))
      throw new SetupError(doesNotRun(node, complaint ?? ''))
    tried.add(debian)
  }
}

/**
 * @param {string} project
 * @param {string} debian a package
 * @returns {Promise<boolean>}
 */
async function provide(project, debian) {
  const prefix = privilege()
  if (prefix !== null) {
    say(`installing ${debian}, which Node ${neededMajor} needs …`)
    return await installDebian(prefix, [debian])
  }
  const folder = join(project, 'node_modules', '.cache', debian)
  if (!existsSync(folder)) say(`fetching ${debian}, which Node ${neededMajor} needs, for this project alone …`)
  if (!(await unpackDebian([debian], folder))) return false
  const libraries = join(folder, 'usr', 'lib')
  const found = readdirSync(libraries, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const paths = [...found.map(({ name }) => join(libraries, name)), process.env['LD_LIBRARY_PATH']]
  process.env['LD_LIBRARY_PATH'] = paths.filter((path) => path !== undefined && path !== '').join(delimiter)
  // npm puts this folder first in the PATH of its scripts; a `node` there that needs this variable would stop the next `npm start`.
  rmSync(join(project, 'node_modules', '.bin', 'node'), { force: true })
  return true
}

/**
 * @param {string} node
 * @returns {{ major: number, complaint: string | null }} major: 0 when it does not run; complaint: what it says then, null when there is none
 */
function tryNode(node) {
  if (!existsSync(node)) return { major: 0, complaint: null }
  const { stdout, stderr, error } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  const major = Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? 0)
  return { major, complaint: error?.message ?? stderr.trim() }
}

/**
 * What the loader of Linux (glibc) misses.
 * @param {string} complaint
 * @returns {string | null}
 */
export function missingLibrary(complaint) {
  return /error while loading shared libraries: ([^:\s]+): cannot open/.exec(complaint)?.[1] ?? null
}

function noPackage() {
  return (
    `Centrala runs on Node ${neededMajor}, which does not come as an npm package for ${process.platform} ${process.arch}. ` +
    `Install Node ${neededMajor} or newer (https://nodejs.org, or on a Mac: brew install node@${neededMajor}), put it on the PATH, and run the command again.`
  )
}

/**
 * @param {string} node
 * @param {string} complaint
 */
export function doesNotRun(node, complaint) {
  const library = missingLibrary(complaint)
  const debian = library === null ? undefined : debianLibraries.get(library)
  const what = library === null ? `does not run here: ${complaint || 'it says nothing'}` : `needs ${library}, which this machine lacks`
  const advice =
    library === null
      ? `Install Node ${neededMajor} or newer another way (https://nodejs.org) and put it on the PATH`
      : `Whoever may install packages has to install it${debian === undefined ? '' : `, on Debian and Ubuntu by: sudo ${installCommand([debian])}`}`
  return `Node ${neededMajor} (${node}) ${what}. ${advice}. Then run the command again.`
}
