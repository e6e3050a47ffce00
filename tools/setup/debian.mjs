import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { say } from './progress.mjs'

/**
 * @param {string} program
 * @returns {boolean}
 */
export function isInstalled(program) {
  // Servers live in sbin, which an ordinary user's PATH leaves out.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * What to put before a command that only root may run; null when this user may not, or when this is no Debian.
 * @returns {string[] | null}
 */
export function privilege() {
  if (!isInstalled('apt-get')) return null
  if (process.getuid?.() === 0) return []
  const sudo = isInstalled('sudo') && spawnSync('sudo', ['--non-interactive', 'true'], { stdio: 'ignore' }).status === 0
  return sudo ? ['sudo', '--non-interactive'] : null
}

/**
 * The command that a person would type.
 * @param {string[]} packages
 * @returns {string}
 */
export function installCommand(packages) {
  return `apt-get install --yes --no-install-recommends ${packages.join(' ')}`
}

/**
 * @param {string[]} prefix from `privilege`
 * @param {string[]} packages
 * @returns {Promise<boolean>} whether it succeeded
 */
export async function installDebian(prefix, packages) {
  const quiet = [
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '--quiet',
    '--yes',
    '-o',
    'Dpkg::Use-Pty=0',
    '-o',
    'DPkg::Lock::Timeout=120',
  ]
  if (!(await runShown([...prefix, ...quiet, 'update']))) return false
  const quietServices = keepServicesStopped(prefix)
  const isDone = await runShown([...prefix, ...quiet, 'install', '--no-install-recommends', ...packages])
  quietServices.release()
  // A telephone proxy that starts with the machine would take the port that Centrala wants.
  if (isDone && packages.includes('kamailio') && isInstalled('systemctl')) {
    spawnSync([...prefix, 'systemctl'][0] ?? '', [...prefix, 'systemctl', 'disable', 'kamailio.service'].slice(1), { stdio: 'ignore' })
  }
  return isDone
}

/**
 * Unpacks packages for this user alone, who may install nothing: downloading needs no rights. Done once for a folder.
 * @param {string[]} packages
 * @param {string} folder is made when all of them are in it
 * @returns {Promise<boolean>} whether they are in the folder
 */
export async function unpackDebian(packages, folder) {
  if (existsSync(folder)) return true
  if (!isInstalled('apt-get') || !isInstalled('dpkg-deb')) return false
  const unfinished = `${folder}.unfinished-${process.pid}`
  mkdirSync(join(unfinished, 'lists', 'partial'), { recursive: true })
  mkdirSync(join(unfinished, 'cache', 'archives', 'partial'), { recursive: true })
  // The machine's own lists of packages may be missing or old, and only root may renew them: then this user has lists of his own.
  const own = ['-o', `Dir::State::Lists=${unfinished}/lists`, '-o', `Dir::Cache=${unfinished}/cache`, '-o', 'Debug::NoLocking=true']
  const fetch = (/** @type {string[]} */ options, /** @type {string[]} */ words) =>
    runShown(['apt-get', '--quiet', ...options, ...words], { cwd: unfinished, quietly: true })
  try {
    const isHere =
      (await fetch([], ['download', ...packages])) || ((await fetch(own, ['update'])) && (await fetch(own, ['download', ...packages])))
    if (!isHere) return false
    for (const file of readdirSync(unfinished).filter((name) => name.endsWith('.deb'))) {
      if (!(await runShown(['dpkg-deb', '--extract', join(unfinished, file), join(unfinished, 'root')]))) return false
    }
    renameSync(join(unfinished, 'root'), folder)
    return true
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
}

const servicePolicy = '/usr/sbin/policy-rc.d'

/**
 * Debian starts a server as soon as it is installed, unless this file says otherwise. One that is there already stays as it is.
 * @param {string[]} prefix
 */
function keepServicesStopped(prefix) {
  if (existsSync(servicePolicy)) return { release: () => undefined }
  const script = '#!/bin/sh\nexit 101\n'
  if (prefix.length === 0) {
    writeFileSync(servicePolicy, script, { mode: 0o755 })
    return { release: () => rmSync(servicePolicy, { force: true }) }
  }
  const sudo = (/** @type {string[]} */ ...words) =>
    spawnSync(prefix[0] ?? '', [...prefix.slice(1), ...words], { input: script, stdio: ['pipe', 'ignore', 'ignore'] })
  sudo('install', '-m', '755', '/dev/stdin', servicePolicy)
  return { release: () => void sudo('rm', '-f', servicePolicy) }
}

/**
 * Runs a command; of what it prints, how much there is to fetch is passed on, the last line every ten seconds, and much more when it fails.
 * @param {string[]} words
 * @param {{ cwd?: string, quietly?: boolean }} [how] quietly: nothing is passed on, as another way is tried when it fails
 * @returns {Promise<boolean>} whether it succeeded
 */
function runShown([command = '', ...words], { cwd, quietly = false } = {}) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const lines = []
    const started = Date.now()
    const show = (/** @type {string} */ line) => void (!quietly && say(`  ${line}`))
    const child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const progress = setInterval(() => show(`${lines.at(-1) ?? 'still at work'} (${Math.round((Date.now() - started) / 1000)} s)`), 10_000)
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        lines.push(line)
        if (line.startsWith('Need to get')) show(line)
      })
    }
    const end = (/** @type {boolean} */ isDone) => {
      clearInterval(progress)
      if (!isDone) for (const line of lines.slice(-15)) show(line)
      resolve(isDone)
    }
    child.on('error', () => end(false))
    child.on('close', (code) => end(code === 0))
  })
}
