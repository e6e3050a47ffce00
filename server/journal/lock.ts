import { createServer, connect, type Server } from 'node:net'
import { unlink } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Another living process owns the folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
}

/**
 * Owns `folder` for this process: a listening Unix socket, which the kernel lets go of at any death, so that there is no stale lock and no
 * guessing about process numbers.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = socketPath(folder)
  const server = await listen(path)
  server.unref()
  return { [Symbol.asyncDispose]: () => new Promise<void>((done) => server.close(() => done())) }
}

/** Socket paths are short by nature (108 bytes): a long one moves to the temporary folder under a name made of the path. */
function socketPath(folder: string): string {
  const path = join(resolve(folder), 'lock')
  if (Buffer.byteLength(path) < 100) return path
  return join(tmpdir(), `centrala-${createHash('sha256').update(path).digest('hex').slice(0, 20)}.lock`)
}

async function listen(path: string): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    const bound = await tryListen(path)
    if (bound !== null) return bound
    if (attempt > 0 || (await isAlive(path))) throw new FolderInUseError(`another process of this system is using ${path}`)
    await unlink(path).catch(() => undefined)
  }
}

function tryListen(path: string): Promise<Server | null> {
  return new Promise((done, fail) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? done(null) : fail(error)))
    server.listen(path, () => done(server))
  })
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}
