import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { Log } from '#base/log.ts'
import { makePassage } from '#server/store/data-folder.ts'
import { postgresBinaries } from '#server/store/postgres-binaries.ts'
import { databaseUser, type SystemUser } from '#server/store/postgres-user.ts'
import type { EmbeddedPostgres, EmbeddedPostgresSettings, StoreUrls } from '#server/store/settings.ts'

const run = promisify(execFile)
const database = 'centrala'

/** The embedded PostgreSQL could not be made or started. The message says why and, where it is known, what to do. */
export class PostgresStartError extends Error {
  override readonly name = 'PostgresStartError'
}

interface Layout {
  readonly binaries: string
  readonly cluster: string
  readonly sockets: string
  readonly user: SystemUser | null
}

/**
 * Starts the embedded PostgreSQL of a data folder, or adopts the one that an earlier keeper left running, and restarts it when it
 * crashes. It listens on a Unix socket in a folder that only its own user (and root) may enter, and on no port.
 */
export async function startEmbeddedPostgres(settings: EmbeddedPostgresSettings): Promise<EmbeddedPostgres> {
  const layout = await prepare(settings)
  const supervisor = new PostgresSupervisor(settings, layout)
  await supervisor.start()
  return supervisor
}

/** How to reach the PostgreSQL of a data folder that an installation is running; null when none runs. Starts and stops nothing. */
export async function runningPostgres(dataFolder: string): Promise<StoreUrls | null> {
  const cluster = join(resolve(dataFolder), 'postgres')
  const [pid, , , , sockets] = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  if (sockets === undefined || !(Number(pid) > 1) || !isAlive(Number(pid)) || !(await isPostmasterOf(Number(pid), cluster))) return null
  return urlsAt(sockets.trim())
}

function urlsAt(sockets: string): Required<StoreUrls> {
  const urlOf = (role: string): string => `postgres://${role}@/${database}?host=${encodeURIComponent(sockets)}`
  return { owner: urlOf('postgres'), tenant: urlOf('centrala_tenant'), system: urlOf('centrala_system') }
}

async function prepare(settings: EmbeddedPostgresSettings): Promise<Layout> {
  const dataFolder = resolve(settings.dataFolder)
  makePassage(dataFolder)
  const user = await databaseUser()
  if (user !== null) await chmod(dataFolder, 0o711)
  const binaries = await postgresBinaries(dataFolder, user !== null)
  const layout = { binaries, cluster: join(dataFolder, 'postgres'), sockets: await socketFolder(dataFolder, user), user }
  await makeCluster(layout, settings.log)
  return layout
}

/** A folder for the socket, closed to others. Socket paths are short by nature: a long one moves to the temporary folder. */
async function socketFolder(dataFolder: string, user: SystemUser | null): Promise<string> {
  const near = join(dataFolder, 'postgres-socket')
  const short = join(tmpdir(), `centrala-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}`)
  const folder = Buffer.byteLength(near) <= 80 ? near : short
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined)
  const found = await lstat(folder)
  const owner = user?.uid ?? process.getuid?.() ?? found.uid
  if (!found.isDirectory() || (found.uid !== owner && found.uid !== 0)) throw new PostgresStartError(`${folder} belongs to somebody else`)
  if (user !== null) await chown(folder, user.uid, user.gid)
  await chmod(folder, 0o700)
  return folder
}

async function makeCluster(layout: Layout, log: Log): Promise<void> {
  const made = await readFile(join(layout.cluster, 'PG_VERSION'), 'utf8').catch(() => null)
  const { stdout } = await run(join(layout.binaries, 'bin', 'postgres'), ['--version'])
  const major = /(\d+)/.exec(stdout)?.[1] ?? ''
  if (made !== null) {
    if (made.trim() === major) return
    throw new PostgresStartError(
      `${layout.cluster} was made by PostgreSQL ${made.trim()}, this is ${major}: back up with the old version, restore with this one`,
    )
  }
  log.info('making the database', { folder: layout.cluster })
  const unfinished = `${layout.cluster}.unfinished`
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished, { mode: 0o700 })
  if (layout.user !== null) await chown(unfinished, layout.user.uid, layout.user.gid)
  const flags = ['-D', unfinished, '-U', 'postgres', '-E', 'UTF8', '--auth-local=trust', '--auth-host=reject', '--no-instructions']
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  try {
    await run(join(layout.binaries, 'bin', 'initdb'), [...flags, ...locale], { ...identity(layout), cwd: unfinished, env: environment() })
  } catch (cause) {
    throw new PostgresStartError(`initdb failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
  // Half a cluster is never taken for a whole one.
  await rename(unfinished, layout.cluster)
}

function identity(layout: Layout): { uid?: number; gid?: number } {
  return layout.user === null ? {} : { uid: layout.user.uid, gid: layout.user.gid }
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

class PostgresSupervisor implements EmbeddedPostgres {
  readonly urls: StoreUrls
  readonly url: string
  #settings: EmbeddedPostgresSettings
  #layout: Layout
  #pid = 0
  #stopping = false
  #stopped: Promise<void> | null = null
  /** Aborts what waits when we are told to stop. */
  #abort = new AbortController()
  #watch: Promise<void> = Promise.resolve()

  constructor(settings: EmbeddedPostgresSettings, layout: Layout) {
    this.#settings = settings
    this.#layout = layout
    this.urls = urlsAt(layout.sockets)
    this.url = this.urls.owner
  }

  get pid(): number {
    return this.#pid
  }

  async start(): Promise<void> {
    const gone = await this.#bringUp()
    await this.#bootstrap()
    this.#watch = this.#keepUp(gone)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  kill(): void {
    told(this.#pid, 'SIGQUIT')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    this.#stopping = true
    this.#abort.abort()
    await ended(this.#pid)
    await this.#watch
  }

  /** Adopts the running postmaster of this cluster or starts one. Resolves, when it answers, with the promise of its end. */
  async #bringUp(): Promise<{ ended: Promise<unknown> }> {
    if (this.#stopping) throw new PostgresStartError('the database is being stopped')
    const running = await runningPostmaster(this.#layout)
    if (running !== null) {
      this.#settings.log.info('adopting the running database', { pid: running })
      this.#pid = running
      const gone = this.#pollUntilGone(running)
      if (await this.#answers(() => !isAlive(running), 30_000)) return { ended: gone }
      await ended(running)
    }
    return this.#spawn()
  }

  async #spawn(): Promise<{ ended: Promise<unknown> }> {
    const { cluster, binaries } = this.#layout
    await removeStalePid(cluster)
    // In a process group of its own: Ctrl-C at the terminal is the keeper's to answer, not the database's.
    const options = {
      ...identity(this.#layout),
      cwd: cluster,
      env: environment(),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'] as ['ignore', 'ignore', 'pipe'],
    }
    const child = spawn(join(binaries, 'bin', 'postgres'), ['-D', cluster, ...this.#flags()], options)
    let complaint = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2_000)))
    const ended = endOf(child)
    let over = false
    void ended.then(() => (over = true))
    this.#pid = child.pid ?? 0
    if (await this.#answers(() => over, Number.POSITIVE_INFINITY)) {
      // A process of PostgreSQL that outlives it has this pipe, too.
      if ('unref' in child.stderr) (child.stderr as Socket).unref()
      return { ended }
    }
    // Told to stop meanwhile, or it ended by itself.
    signal(this.#pid, 'SIGINT')
    await ended
    throw new PostgresStartError(`PostgreSQL did not start: ${complaint.trim() || 'no word from it'} (see ${join(cluster, 'log')})`)
  }

  #flags(): string[] {
    const options: Record<string, string | number> = {
      listen_addresses: '',
      unix_socket_directories: this.#layout.sockets,
      unix_socket_permissions: '0700',
      max_connections: this.#settings.maxConnections ?? 40,
      shared_buffers: `${this.#settings.sharedBuffersMb ?? 64}MB`,
      max_wal_senders: 0,
      wal_level: 'minimal',
      max_wal_size: '512MB',
      io_method: 'sync',
      jit: 'off',
      timezone: 'UTC',
      log_timezone: 'UTC',
      logging_collector: 'on',
      log_directory: 'log',
      log_filename: 'postgresql-%a.log',
      log_truncate_on_rotation: 'on',
      log_rotation_age: '1d',
      log_rotation_size: '20MB',
      log_min_messages: 'warning',
    }
    return Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  }

  async #answers(over: () => boolean, limitMs: number): Promise<boolean> {
    for (let waited = 0; waited < limitMs && !over() && !this.#stopping; waited += 25) {
      if (await this.#query('postgres', async () => true).catch(() => false)) return true
      await sleep(25)
    }
    return false
  }

  /** Database and roles, where they are missing. */
  async #bootstrap(): Promise<void> {
    await this.#query('postgres', async (client) => {
      for (const role of ['centrala_tenant', 'centrala_system']) {
        const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
        if (rowCount === 0) await client.query(`create role ${role}`)
        await client.query(`alter role ${role} login`)
      }
      const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
      if (rowCount === 0) await client.query(`create database ${database}`)
    })
  }

  async #query<T>(name: string, work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({
      host: this.#layout.sockets,
      user: 'postgres',
      database: name,
      connectionTimeoutMillis: 2_000,
      query_timeout: 20_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await work(client)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async #keepUp(first: { ended: Promise<unknown> }): Promise<void> {
    let up = first
    for (let pauseMs = 100; !this.#stopping; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      await up.ended
      if (this.#stopping) return
      this.#settings.log.error('the database died; starting it again', { pid: this.#pid })
      up = await this.#bringUp().catch((error: unknown) => {
        if (!this.#stopping) this.#settings.log.error('the database does not start', { error: String(error) })
        return { ended: sleep(pauseMs, null, { signal: this.#abort.signal }).catch(() => null) }
      })
    }
  }

  async #pollUntilGone(pid: number): Promise<void> {
    while (isAlive(pid) && !this.#stopping) await sleep(250, null, { signal: this.#abort.signal }).catch(() => null)
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done())
    child.once('error', () => done())
  })
}

/** The process of this cluster's postmaster, if it lives. */
async function runningPostmaster(layout: Layout): Promise<number | null> {
  const lines = (await readFile(join(layout.cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid) || !(await isPostmasterOf(pid, layout.cluster))) return null
  if (lines[4]?.trim() === layout.sockets) return pid
  // It listens where this installation would not look for it.
  await ended(pid)
  return null
}

/** A process number from an earlier boot may be another program's by now; PostgreSQL would then refuse to start. */
async function removeStalePid(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0])
  if (pid > 1 && isAlive(pid) && !(await isPostmasterOf(pid, cluster))) await rm(file, { force: true })
}

async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  const linux = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (linux !== null) return linux.split('\0').includes(cluster)
  const { stdout } = await run('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.includes(cluster)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Ends a postmaster, held stopped or not, by and by more rudely. */
async function ended(pid: number): Promise<void> {
  told(pid, 'SIGINT')
  if (await goneWithin(pid, 30_000)) return
  told(pid, 'SIGQUIT')
  // Processes of its own that do not obey it kills after 5 s.
  if (await goneWithin(pid, 10_000)) return
  signal(pid, 'SIGKILL')
  await goneWithin(pid, 10_000)
}

/** Tells a process something that it is to hear even when somebody holds it stopped. */
function told(pid: number, name: NodeJS.Signals): void {
  signal(pid, name)
  signal(pid, 'SIGCONT')
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    if (pid > 1) process.kill(pid, name)
  } catch {
    // It is gone already.
  }
}

async function goneWithin(pid: number, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += 20) {
    if (pid <= 1 || !isAlive(pid)) return true
    await sleep(20)
  }
  return !isAlive(pid)
}
