import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { say, SetupError } from './progress.mjs'

/**
 * A program of the machine and the Debian package that brings it.
 * @typedef {{ program: string, debian: string[], for: string }} Program
 */

/** @type {Program[]} */
const testPrograms = [
  { program: 'sipp', debian: ['sip-tester'], for: 'carriers and load' },
  { program: 'baresip', debian: ['baresip-core'], for: 'phones' },
  { program: 'linphonec', debian: ['linphone-cli'], for: 'phones' },
  { program: 'kamailio', debian: ['kamailio'], for: "a carrier's proxy" },
  { program: 'espeak-ng', debian: ['espeak-ng'], for: 'speech' },
  { program: 'flite', debian: ['flite'], for: 'speech' },
  { program: 'opusdec', debian: ['opus-tools'], for: 'listening to recordings' },
  { program: 'chromium', debian: ['chromium'], for: 'the page' },
]

/** One of these speaks the system's own sentences; prompts that are files need none. */
const speechPrograms = testPrograms.filter(({ program }) => program === 'espeak-ng' || program === 'flite')

/**
 * Installs the programs that are missing, when this user may. When not, says which command would, and goes on: what needs them
 * counts as skipped. In CI (`CI=true`) a program that stays missing is an error.
 * @param {'speech' | 'test'} purpose
 */
export async function ensureSystemPackages(purpose) {
  const missing = missingPrograms(purpose)
  if (missing.length === 0) return
  const packages = missing.flatMap(({ debian }) => debian)
  const command = `apt-get install --yes --no-install-recommends ${packages.join(' ')}`
  const prefix = privilege()
  if (prefix === null) return complain(purpose, `Missing: ${describe(missing)}. To install: sudo ${command}`)
  say(`installing ${describe(missing)} …`)
  if (!(await installDebian(prefix, packages)))
    return complain(purpose, `apt-get failed; its message stands above. To try again: sudo ${command}`)
  const still = missingPrograms(purpose)
  if (still.length > 0) complain(purpose, `Still missing: ${describe(still)}`)
}

/**
 * @param {'speech' | 'test'} purpose
 * @returns {Program[]}
 */
function missingPrograms(purpose) {
  if (purpose === 'test') return testPrograms.filter(({ program }) => !isInstalled(program))
  return speechPrograms.some(({ program }) => isInstalled(program)) ? [] : speechPrograms
}

/** @param {string} program */
function isInstalled(program) {
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

/** @param {Program[]} programs */
function describe(programs) {
  return programs.map(({ program, for: purpose }) => `${program} (${purpose})`).join(', ')
}

/**
 * @param {'speech' | 'test'} purpose
 * @param {string} line
 */
function complain(purpose, line) {
  if (purpose === 'test' && process.env['CI'] === 'true') throw new SetupError(line)
  say(line)
  say(purpose === 'test' ? 'Going on; tests that need them count as skipped.' : 'Going on; sentences that need speech stay silent.')
}

/**
 * What to put before a command that only root may run; null when this user may not, or when this is no Debian.
 * @returns {string[] | null}
 */
function privilege() {
  if (!isInstalled('apt-get')) return null
  if (process.getuid?.() === 0) return []
  const sudo = isInstalled('sudo') && spawnSync('sudo', ['--non-interactive', 'true'], { stdio: 'ignore' }).status === 0
  return sudo ? ['sudo', '--non-interactive'] : null
}

/**
 * @param {string[]} prefix
 * @param {string[]} packages
 */
async function installDebian(prefix, packages) {
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
 * Runs a command; of what it prints, the lines that show progress are passed on, and everything when it fails.
 * @param {string[]} words
 * @returns {Promise<boolean>} whether it succeeded
 */
function runShown([command = '', ...words]) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const lines = []
    const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        lines.push(line)
        if (/^(Get:|Fetched|Setting up|Need to get)/.test(line)) say(`  ${line}`)
      })
    }
    child.on('error', () => resolve(false))
    child.on('close', (code) => {
      if (code !== 0) for (const line of lines.slice(-15)) say(`  ${line}`)
      resolve(code === 0)
    })
  })
}
