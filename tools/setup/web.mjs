import { spawn } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { say } from './progress.mjs'

/** What the page is made of. */
const sources = ['web', 'contract', 'flows', 'package-lock.json']

/**
 * Builds the page unless it is younger than everything it is made of.
 * @param {string} project
 * @param {string} node
 */
export async function ensureWebBuild(project, node) {
  if (!existsSync(join(project, 'web', 'index.html'))) return
  const built = join(project, 'web', 'dist', 'index.html')
  const newest = Math.max(...sources.map((path) => newestChange(join(project, path))))
  if (existsSync(built) && statSync(built).mtimeMs >= newest) return
  say('building the page …')
  const started = Date.now()
  const { code, output } = await build(project, node)
  if (code !== 0) {
    // Calls need no page.
    say(`the page could not be built; everything else starts without it:\n${output}`)
    return
  }
  say(`built the page in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/**
 * @param {string} path a file, or a folder read to its depth
 * @returns {number} the youngest change in it, in milliseconds since the Unix epoch
 */
function newestChange(path) {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return 0
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).filter((name) => name !== 'dist' && name !== 'node_modules' && !name.startsWith('.'))
  return Math.max(stat.mtimeMs, ...inside.map((name) => newestChange(join(path, name))))
}

/**
 * @param {string} project
 * @param {string} node
 * @returns {Promise<{ code: number, output: string }>}
 */
function build(project, node) {
  const vite = join(project, 'node_modules', 'vite', 'bin', 'vite.js')
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(node, [vite, 'build', '--logLevel', 'warn'], { cwd: join(project, 'web'), stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (/** @type {Buffer} */ chunk) => void (output += chunk.toString()))
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
