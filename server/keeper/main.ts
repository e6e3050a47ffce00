import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { poolSeconds } from '#media/engine/give-back.ts'
import { makePrivateFolder } from '#server/run-folder.ts'
import { bannerText } from '#server/keeper/banner.ts'
import { type ChildSpec, childProcess } from '#server/keeper/child-process.ts'
import { compileAhead } from '#server/keeper/compile-ahead.ts'
import { embeddedDatabase } from '#server/keeper/database.ts'
import { folderTrouble } from '#server/keeper/folder-trouble.ts'
import { Keeper, type Plan } from '#server/keeper/keeper.ts'
import type { Launch } from '#server/keeper/kept.ts'
import { LogSink } from '#server/keeper/log-sink.ts'
import { exitRefused } from '#server/keeper/messages.ts'
import { becomeTheOnlyKeeper } from '#server/keeper/only-one.ts'
import { RotatingFile } from '#server/keeper/rotating-file.ts'
import { readSettings, type Settings } from '#server/settings.ts'
import { makePassage } from '#server/store/data-folder.ts'
import { SettingsError } from '#server/settings-reader.ts'

const project = join(import.meta.dirname, '..', '..')
const terminal = { writeLine: (line: string) => void process.stdout.write(`${line}\n`) }
/** The rooms whose code the processes run. */
const rooms = ['base', 'calls', 'contract', 'flows', 'media', 'server', 'sip'].map((room) => join(project, room))
/**
 * Of every process, since V8 keeps compiled code by its flags and one process compiles for all. Idle memory is collected when asked for
 * (base/idle-collection.ts). `node:ffi` warns of being experimental: packets go through it (docs/adr/0021-datagrams-by-system-calls.md), and
 * memory back (media/engine/give-back.ts). Nor do helpers take part in emptying the nursery, which --single-threaded-gc leaves them; and pages
 * that a collection has freed wait for longer than eight seconds before they go back to the machine: under load each went back and came again,
 * at up to 10 us for 4 kB in a virtual machine.
 */
const runtime = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--no-parallel-scavenge', `--memory-pool-timeout=${poolSeconds}`]
/** Why: media/engine/main.ts. What a packet leaves is dead at the next beat: a nursery that fits the processor's cache costs least, of memory too. */
const engineRuntime = ['--max-semi-space-size=2', '--single-threaded-gc', ...runtime]
/**
 * Most of what a call allocates dies with it: a small nursery is collected often and cheaply, and keeps an idle server small. Collected by the
 * thread that serves: helpers that mark in the background would take the core from it, for half a second at a time where cores are few.
 */
const serverRuntime = ['--max-semi-space-size=8', '--single-threaded-gc', ...runtime]
/** One key press or `kill` may arrive several times: through the terminal's process group, npm and the launcher. */
const sameRequestMs = 300

process.exitCode = await main()
// What is left (an adopted handle, the launcher's channel) must not keep an ended system on its feet.
process.exit()

async function main(): Promise<number> {
  const settings = readOrRefuse()
  if (settings === null || !makeFoldersOrRefuse(settings)) return exitRefused
  const file = new RotatingFile({
    path: join(settings.folders.logs, 'centrala.log'),
    maxBytes: settings.log.fileBytes,
    keep: settings.log.files,
  })
  const sink = new LogSink({ clock: systemClock, file, terminal })
  const log = sink.log('keeper')
  const keeper = new Keeper(planOf(settings, sink), {
    clock: systemClock,
    log,
    drainLimitMs: settings.calls.drainLimitMs,
    onReady: (banner) => terminal.writeLine(banner === null ? 'Centrala serves.' : bannerText(banner)),
    onRefused: (name, why) => terminal.writeLine(`\nCentrala cannot start (${name}):\n${why}\n`),
  })
  const compile = (): Promise<void> => compileAhead({ folders: rooms, runtime, log })
  const restart = async (say: (line: string) => void): Promise<boolean> => {
    await compile()
    return keeper.restart(say)
  }
  const only = await becomeTheOnlyKeeper(settings.folders.run, {
    status: () => ({ pid: process.pid, processes: keeper.status() }),
    restart,
  })
  if ('processes' in only) {
    terminal.writeLine(`Centrala runs already with the data in ${settings.folders.data} (process ${only.pid}).`)
    return exitRefused
  }
  if (settings.folders.dataBecause !== null) log.info(`data is kept in ${settings.folders.data}: ${settings.folders.dataBecause}`)
  endOnRequest(keeper, log)
  process.on('SIGUSR2', () => void restart((line) => terminal.writeLine(line)))
  await compile()
  const exitCode = await keeper.run()
  log.info('ended')
  file.close()
  return exitCode
}

function readOrRefuse(): Settings | null {
  try {
    return readSettings({ environment: process.env, project })
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    terminal.writeLine(`Centrala cannot start with these settings:\n${error.message}`)
    return null
  }
}

function makeFoldersOrRefuse(settings: Settings): boolean {
  try {
    makeFolders(settings)
    return true
  } catch (fault) {
    terminal.writeLine(`Centrala cannot start: ${folderTrouble(settings.folders.data, fault)}`)
    return false
  }
}

/** The data folder lets others pass, as the database's own user must; what is inside is private. */
function makeFolders(settings: Settings): void {
  makePassage(settings.folders.data)
  makePrivateFolder(settings.folders.run)
  makePrivateFolder(settings.folders.logs)
}

function planOf(settings: Settings, sink: LogSink): Plan {
  const database = settings.database.url === null ? embeddedDatabase(settings.folders.data, sink.log('database')) : null
  const child = (name: string, entry: string, more?: Pick<ChildSpec, 'arguments' | 'environment' | 'runtime'>): Launch =>
    childProcess({ entry: join(project, entry), onLine: (line) => sink.line(name, line), ...more })
  return {
    database: database?.launch ?? null,
    engines: settings.media.sockets.map((_, index) =>
      child(`engine-${index}`, 'media/engine/main.ts', { arguments: engineArguments(settings, index), runtime: engineRuntime }),
    ),
    server: child('server', 'server/main.ts', {
      runtime: serverRuntime,
      ...(database !== null && { environment: database.environment }),
    }),
    demoCarrier: settings.demoCarrier.enabled ? child('demo-carrier', 'server/demo-carrier/main.ts', { runtime }) : null,
  }
}

/** An engine knows no settings: it gets its socket and its share of the ports, whole pairs. */
function engineArguments({ media, folders }: Settings, index: number): string[] {
  const share = 2 * Math.floor((media.lastPort - media.firstPort + 1) / 2 / media.engines)
  const first = media.firstPort + index * share
  const ports = ['--first-port', String(first), '--last-port', String(first + share - 1)]
  return ['--socket', media.sockets[index] ?? '', ...ports, '--folder', folders.data]
}

/** SIGTERM, SIGINT, SIGHUP and the launcher's death end the system; asked again, it hurries. */
function endOnRequest(keeper: Keeper, log: Log): void {
  let lastAt = Number.NEGATIVE_INFINITY
  const request = (by: string): void => {
    const isSame = systemClock.now() - lastAt < sameRequestMs
    lastAt = systemClock.now()
    if (isSame) return
    log.info('asked to end', { by })
    keeper.requestEnd()
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => request(signal))
  process.on('disconnect', () => request('the launcher that died'))
}
