import { unlink } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

/** A two-way line of plain-data messages to another process of this machine, in order. */
export interface Line<Out> {
  /**
   * Goes out with what else there is to send, in order: at the end of this turn of the event loop, or `PACE_MS` after the write before; where it
   * `mayWait`, up to `PATIENCE_MS` later. After `end` nothing happens.
   */
  send(message: Out, mayWait?: boolean): void
  /** What was sent still goes out, then the line ends. Idempotent. */
  end(): void
}

/** What comes over a line; `gone` once, at its end, however it ends. */
export interface LineEvents<In> {
  message(message: In): void
  gone(why: string): void
}

/**
 * Between two writes: each wakes the other process, which costs more than carrying a message does, and nobody hears the length of a packet. What
 * comes after a pause need not wait.
 */
const PACE_MS = 20

/** What nobody waits for goes with what comes after it within so long. */
const PATIENCE_MS = 100

/** A peer that does not read is cut off when so much waits for it. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024

/** A longer message is no message of ours. */
const LONGEST_MESSAGE = 32 * 1024 * 1024

/**
 * Listens on a Unix domain socket, messages being JSON, one per line. A socket file left by a process that died is replaced.
 * Throws when another process listens there, or the path cannot be used.
 */
export async function listenOnPath<In, Out>(path: string, accept: (line: Line<Out>) => LineEvents<In>): Promise<AsyncDisposable> {
  const lines = new Set<Line<Out>>()
  const server = createServer((socket) => {
    const line: Line<Out> = lineOver<In, Out>(socket, {
      message: (message) => events.message(message),
      gone: (why) => {
        lines.delete(line)
        events.gone(why)
      },
    })
    const events = accept(line)
    lines.add(line)
  })
  if (await answers(path)) throw new Error(`another process listens on ${path}`)
  await unlink(path).catch(() => undefined)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    async [Symbol.asyncDispose]() {
      for (const line of lines) line.end()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}

/** Calls a process that listens on `path`. `up` when it answers; `gone` also when nobody does. */
export function connectToPath<In, Out>(path: string, events: LineEvents<In> & { up(): void }): Line<Out> {
  const socket = connect(path)
  socket.once('connect', () => events.up())
  return lineOver(socket, events)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

function lineOver<In, Out>(socket: Socket, events: LineEvents<In>): Line<Out> {
  let waiting = ''
  /** When what waits goes out. */
  let dueAt = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let mayWriteAt = 0
  let why = 'ended'
  const flush = (): void => {
    dueAt = Number.POSITIVE_INFINITY
    const text = waiting
    waiting = ''
    if (socket.destroyed || text === '') return
    mayWriteAt = performance.now() + PACE_MS
    socket.write(text)
    if (socket.writableLength > MOST_WAITING_BYTES) socket.destroy(new Error('the other side does not read'))
  }
  const flushWithin = (ms: number): void => {
    const now = performance.now()
    const at = Math.max(mayWriteAt, now + ms)
    if (at >= dueAt) return
    dueAt = at
    clearTimeout(timer)
    if (at <= now) setImmediate(flush)
    else timer = setTimeout(flush, at - now)
  }
  socket.setEncoding('utf8')
  let partial = ''
  socket.on('data', (chunk: string) => {
    const lines = (partial + chunk).split('\n')
    partial = lines.pop() ?? ''
    if (partial.length > LONGEST_MESSAGE) socket.destroy(new Error('a message is too long'))
    for (const line of lines) {
      const message = parse<In>(line)
      if (message !== undefined && !socket.destroyed) events.message(message)
      else if (message === undefined) socket.destroy(new Error('a message is not JSON'))
    }
  })
  socket.on('error', (fault) => (why = fault.message))
  socket.once('close', () => {
    events.gone(why)
  })
  return {
    send(message, mayWait = false) {
      if (socket.destroyed || socket.writableEnded) return
      waiting += `${JSON.stringify(message)}\n`
      flushWithin(mayWait ? PATIENCE_MS : 0)
    },
    end() {
      if (socket.destroyed || socket.writableEnded) return
      flush()
      socket.end()
    },
  }
}

/** Both ends are processes of one installation, in a folder only their user may enter: the shape of a message is taken on trust. */
function parse<In>(line: string): In | undefined {
  try {
    return JSON.parse(line) as In
  } catch {
    return undefined
  }
}
