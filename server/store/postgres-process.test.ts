import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { silentLog } from '#base/log.ts'
import { chooseDataFolder, makePassage, othersMayEnter } from '#server/store/data-folder.ts'
import { openToAll, postgresBinaries } from '#server/store/postgres-binaries.ts'
import { startEmbeddedPostgres } from '#server/store/postgres-process.ts'

async function temporary(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'centrala-postgres-'))
  await chmod(path, 0o755)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=', '--ppid', String(pid)])
  return stdout.trim().split(/\s+/).map(Number)
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function ask(url: string, question: string): Promise<unknown> {
  const client = new Client(url)
  await client.connect()
  try {
    return (await client.query<{ answer: unknown }>(question)).rows[0]?.answer
  } finally {
    await client.end()
  }
}

describe('the embedded PostgreSQL', () => {
  test('keeps its data over a stop, is adopted when its keeper died, and outlives a stale process number', async () => {
    await using folder = await temporary()
    const settings = { dataFolder: folder.path, log: silentLog, sharedBuffersMb: 16 }
    await using first = await startEmbeddedPostgres(settings)
    await ask(first.url, 'create table kept as select 7 as answer')

    await using adopted = await startEmbeddedPostgres(settings)
    assert.equal(adopted.pid, first.pid)
    assert.equal(await ask(adopted.url, 'select answer from kept'), 7)
    await Promise.all([first.stop(), adopted.stop()])

    // Our own number: a living process that is no postmaster.
    await writeFile(join(folder.path, 'postgres', 'postmaster.pid'), `${process.pid}\n${join(folder.path, 'postgres')}\n`)
    await using third = await startEmbeddedPostgres(settings)
    assert.equal(await ask(third.url, 'select answer from kept'), 7)
  })

  test('listens on a socket that only its own user may reach, and on no port', async () => {
    await using folder = await temporary()
    await using postgres = await startEmbeddedPostgres({ dataFolder: folder.path, log: silentLog, sharedBuffersMb: 16 })
    const sockets = new URL(postgres.url.replace('@/', '@x/')).searchParams.get('host') ?? ''
    assert.equal((await stat(sockets)).mode & 0o777, 0o700)
    const owner = (await stat(join(folder.path, 'postgres'))).uid
    assert.equal(owner === 0, false)
    assert.equal(await ask(postgres.url, "select current_setting('listen_addresses') as answer"), '')
    assert.equal(await ask(postgres.url, "select current_setting('fsync') as answer"), 'on')
  })

  test('is ended though somebody holds it stopped, and when its processes are, too, by force', async () => {
    await using folder = await temporary()
    const settings = { dataFolder: folder.path, log: silentLog, sharedBuffersMb: 16 }
    await using first = await startEmbeddedPostgres(settings)
    process.kill(first.pid, 'SIGSTOP')
    await first.stop()

    await using second = await startEmbeddedPostgres(settings)
    process.kill(second.pid, 'SIGSTOP')
    // From here on none is born, and none that ends is gone.
    const children = await childrenOf(second.pid)
    for (const pid of children) process.kill(pid, 'SIGSTOP')
    const stopped = second.stop()
    second.kill()
    await stopped
    assert.equal(isAlive(second.pid), false)
    // Who writes its log ends last, by itself.
    for (const pid of children) if (isAlive(pid)) process.kill(pid, 'SIGCONT')
  })

  test('takes a cluster whose making was cut off for none', async () => {
    await using folder = await temporary()
    await mkdir(join(folder.path, 'postgres.unfinished'))
    await writeFile(join(folder.path, 'postgres.unfinished', 'PG_VERSION'), '18\n')
    await using postgres = await startEmbeddedPostgres({ dataFolder: folder.path, log: silentLog, sharedBuffersMb: 16 })
    assert.equal(await ask(postgres.url, 'select 1 as answer'), 1)
  })

  test('refuses a cluster of another version with what to do', async () => {
    await using folder = await temporary()
    await mkdir(join(folder.path, 'postgres'))
    await writeFile(join(folder.path, 'postgres', 'PG_VERSION'), '12\n')
    await assert.rejects(startEmbeddedPostgres({ dataFolder: folder.path, log: silentLog }), /made by PostgreSQL 12.*restore/)
  })
})

describe('where things are', () => {
  test('a folder behind a closed one is not entered by others', async () => {
    await using folder = await temporary()
    const inside = join(folder.path, 'closed', 'inside')
    await mkdir(inside, { recursive: true })
    assert.equal(othersMayEnter(inside), true)
    await chmod(join(folder.path, 'closed'), 0o700)
    assert.equal(othersMayEnter(inside), false)
    assert.equal(othersMayEnter(join(inside, 'not', 'there')), false)
  })

  test('data stays in the project unless the database could not reach it there', { skip: process.getuid?.() !== 0 }, async () => {
    await using folder = await temporary()
    assert.deepEqual(chooseDataFolder(folder.path), { path: join(folder.path, 'data'), because: null })
    await chmod(folder.path, 0o700)
    const chosen = chooseDataFolder(folder.path)
    assert.match(chosen.path, /^\/var\/lib\/centrala\/centrala-postgres-\w+-[0-9a-f]{8}$/)
    assert.match(chosen.because ?? '', /may not enter/)
    assert.deepEqual(chooseDataFolder(folder.path, '/elsewhere'), { path: '/elsewhere', because: null })
  })

  test('with the strictest umask the database finds a way to its data and its binaries', { skip: process.getuid?.() !== 0 }, async () => {
    await using folder = await temporary()
    const umask = process.umask(0o077)
    try {
      const data = join(folder.path, 'state', 'data')
      makePassage(data)
      assert.equal(othersMayEnter(data), true)
      const bin = join(folder.path, 'bin')
      await mkdir(join(bin, 'lib'), { recursive: true })
      await writeFile(join(bin, 'initdb'), '', { mode: 0o700 })
      await writeFile(join(bin, 'lib', 'libpq.so'), '')
      await openToAll(bin)
      const modes = await Promise.all([bin, join(bin, 'initdb'), join(bin, 'lib'), join(bin, 'lib', 'libpq.so')].map((at) => stat(at)))
      assert.deepEqual(
        modes.map(({ mode }) => mode & 0o777),
        [0o755, 0o755, 0o755, 0o644],
      )
      await using postgres = await startEmbeddedPostgres({ dataFolder: data, log: silentLog, sharedBuffersMb: 16 })
      assert.equal(await ask(postgres.url, 'select 1 as answer'), 1)
    } finally {
      process.umask(umask)
    }
  })

  test('binaries that can be reached are used where they are', async () => {
    await using folder = await temporary()
    const binaries = await postgresBinaries(folder.path, false)
    assert.match(binaries, /node_modules/)
    assert.ok((await readFile(join(binaries, 'pg-symlinks.json'))).length > 0)
  })
})
