// Plain JavaScript for any Node from 16 on: it sets up what is missing, then hands over to Node 26, which runs the TypeScript of the project
// directly.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandNamed, helpText } from './commands.mjs'
import { ensureDatabaseLinks } from './database-links.mjs'
import { ensureOwnCommand } from './own-command.mjs'
import { ensurePackages } from './packages.mjs'
import { say, SetupError } from './progress.mjs'
import { ensureNode } from './runtime.mjs'
import { ensureSystemPackages } from './system-packages.mjs'
import { ensureWebBuild } from './web.mjs'

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * @param {string[]} words the command and its arguments
 * @returns {Promise<number>} the exit code
 */
export async function launch([name = 'help', ...rest]) {
  const command = commandNamed(name)
  if (command === undefined) {
    const asked = ['help', '--help', '-h'].includes(name)
    ;(asked ? process.stdout : process.stderr).write(asked ? helpText() : `There is no command "${name}".\n\n${helpText()}`)
    return asked ? 0 : 2
  }
  try {
    const entry = entryOf(command)
    return await run(await setUp(command), entry, rest, command)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}

/**
 * @param {import('./commands.mjs').Command} command
 * @returns {Promise<string>} the Node to run it with
 */
async function setUp(command) {
  await ensurePackages(project)
  ensureOwnCommand(project)
  await ensureDatabaseLinks(project)
  const node = await ensureNode(project)
  if (command.needs.includes('speech')) await ensureSystemPackages('speech')
  if (command.needs.includes('test-programs')) await ensureSystemPackages('test')
  if (command.needs.includes('web')) await ensureWebBuild(project, node)
  return node
}

/**
 * @param {import('./commands.mjs').Command} command
 * @returns {string[]} the file to run, and the words that go before the person's own
 */
function entryOf(command) {
  if (command.entry !== undefined) return [join(project, command.entry)]
  const own = join(project, 'tools', `${command.name}.ts`)
  return existsSync(own) ? [own] : [join(project, 'tools', 'cli.ts'), command.name]
}

/**
 * Runs an entry to its end. Signals meant for it are passed on; where the terminal sends them to both, the one that comes twice is
 * for the receiver to understand (the keeper does). The channel lets it notice when this process is killed.
 * @param {string} node
 * @param {string[]} entry
 * @param {string[]} rest
 * @param {import('./commands.mjs').Command} command
 * @returns {Promise<number>} its exit code
 */
function run(node, entry, rest, command) {
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...entry, ...rest], {
    stdio: command.entry === undefined ? 'inherit' : ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}`,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(project, 'node_modules', '.cache', 'compiled'),
    },
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal))
  return new Promise((resolve) => {
    child.on('error', (error) => {
      say(`${node} does not run here: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
  })
}
