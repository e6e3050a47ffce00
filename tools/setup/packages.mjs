import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { say, SetupError } from './progress.mjs'

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [devOptional]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 * @property {string | string[]} [libc]
 */

/**
 * Installs the npm packages unless those installed are those of package-lock.json.
 * @param {string} project
 */
export async function ensurePackages(project) {
  if (missingPackages(project).length === 0) return
  const lock = await lockSetup(project)
  try {
    // Another command may have installed them while this one waited.
    if (missingPackages(project).length > 0) await install(project)
  } finally {
    lock.release()
  }
}

/**
 * What package-lock.json asks of this machine and node_modules does not have in the same version, by npm's own account of what it
 * installed. Optional packages of other machines may be missing.
 * @param {string} project
 * @returns {string[]} paths like `node_modules/fastify`
 */
export function missingPackages(project) {
  const wanted = readLock(join(project, 'package-lock.json'))
  const installed = readLock(join(project, 'node_modules', '.package-lock.json'))
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !isSame(entry, installed[path]) && (installed[path] !== undefined || isNeededHere(entry)))
    .map(([path]) => path)
}

/**
 * @param {string} path
 * @returns {Record<string, LockEntry>}
 */
function readLock(path) {
  if (!existsSync(path)) return {}
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
}

/**
 * @param {LockEntry} wanted
 * @param {LockEntry | undefined} installed
 */
function isSame(wanted, installed) {
  return installed !== undefined && installed.version === wanted.version && installed.integrity === wanted.integrity
}

/** @param {LockEntry} entry */
function isNeededHere(entry) {
  if (entry.optional !== true && entry.devOptional !== true) return true
  const isOfOneMachine = entry.os !== undefined && entry.cpu !== undefined
  return isOfOneMachine && allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && allows(entry.libc, libc)
}

/** Which C library this Linux has; empty elsewhere. */
const libc = process.platform !== 'linux' ? '' : 'glibcVersionRuntime' in Object(process.report.getReport()).header ? 'glibc' : 'musl'

/**
 * @param {string | string[] | undefined} list
 * @param {string} value
 */
function allows(list, value) {
  return list === undefined || list === value || list.includes(value)
}

/**
 * npm runs install scripts with the Node that it is just installing, which may lack a library yet; an optional package whose script fails
 * is left out without a word. The only script there is makes links, which `ensureDatabaseLinks` makes.
 */
const withoutScripts = ['--ignore-scripts']
const quietly = ['--no-audit', '--no-fund', '--loglevel=error']

/** @param {string} project */
async function install(project) {
  const total = Object.values(readLock(join(project, 'package-lock.json'))).filter(isNeededHere).length
  say(`installing about ${total} npm packages (npm ci) …`)
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const progress = setInterval(() => say(`still installing npm packages: ${seconds()} s`), 10_000)
  const code = await runNpm(project, ['ci', '--include=dev', '--include=optional', ...withoutScripts, ...quietly])
  clearInterval(progress)
  if (code !== 0) throw new SetupError(`npm ci failed in ${project}; its message stands above. When it is mended, run the command again.`)
  const missing = missingPackages(project)
  if (missing.length > 0) throw new SetupError(`npm ci did not install ${missing.join(', ')}. Was a download refused? Run it again: npm ci`)
  say(`installed the npm packages in ${seconds()} s`)
}

/**
 * npm as it was started, or else the one of the PATH. What it prints goes to stderr.
 * @param {string} project
 * @param {string[]} words
 * @returns {Promise<number>}
 */
function runNpm(project, words) {
  const npm = process.env['npm_execpath']
  const [command, first] = npm?.endsWith('npm-cli.js') === true ? [process.execPath, [npm]] : ['npm', []]
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --require "${escaped(forOurNode)}"`.trim() }
    const child = spawn(command, [...first, ...words], { cwd: project, env, stdio: ['ignore', process.stderr, process.stderr] })
    child.on('error', (error) => {
      say(`npm does not run: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

const forOurNode = fileURLToPath(new URL('npm-for-node.cjs', import.meta.url))

/**
 * Within quotes in NODE_OPTIONS.
 * @param {string} path
 */
function escaped(path) {
  return path.replace(/["\\]/g, '\\$&')
}

const staleLockMs = 15 * 60_000

/**
 * Lets one command at a time set up this project.
 * @param {string} project
 * @returns {Promise<{ release: () => void }>}
 */
async function lockSetup(project) {
  const path = join(project, '.setup-lock')
  for (let told = false; ; told = true) {
    try {
      const file = openSync(path, 'wx')
      writeSync(file, String(process.pid))
      closeSync(file)
      return { release: () => rmSync(path, { force: true }) }
    } catch (error) {
      if (!existsSync(path)) throw new SetupError(`${project} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (isStale(path)) rmSync(path, { force: true })
    else if (!told) say('waiting for another command that sets up this project …')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** @param {string} path */
function isStale(path) {
  try {
    if (Date.now() - statSync(path).mtimeMs > staleLockMs) return true
    const owner = Number(readFileSync(path, 'utf8'))
    return owner > 0 && !isAlive(owner)
  } catch {
    return false
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
