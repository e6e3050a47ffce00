import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { KeptStatus } from '#server/keeper/kept.ts'

/** What a running keeper tells whoever connects to its socket, as one line of JSON. */
export interface KeeperStatus {
  pid: number
  processes: KeptStatus[]
}

/** What a keeper can be asked over its socket. */
export interface KeeperFace {
  status(): KeeperStatus
  /** A rolling restart; `say` gets each sentence of how it goes. Resolves with whether it was done. */
  restart?(say: (line: string) => void): Promise<boolean>
}

/** One line of the answer to `restart`; the one with `done` is the last. */
export type RestartLine = { say: string } | { done: boolean }

const socketOf = (runFolder: string): string => join(runFolder, 'keeper.sock')

/**
 * Makes this keeper the only one of its data folder, and answers whoever connects to its socket: one word in, lines of JSON out. Gives the
 * status of the keeper that is there already, if there is one: a listening socket, unlike a file with a process id, cannot outlive its process.
 */
export async function becomeTheOnlyKeeper(runFolder: string, face: KeeperFace): Promise<Server | KeeperStatus> {
  const other = await askKeeper(runFolder)
  if (other !== null) return other
  await rm(socketOf(runFolder), { force: true })
  const server = createServer({ allowHalfOpen: true }, (socket) => answer(socket, face))
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(socketOf(runFolder), listening.resolve)
  await listening.promise
  server.unref()
  return server
}

function answer(socket: Socket, face: KeeperFace): void {
  socket.on('error', () => socket.destroy())
  const say = (line: object): void => void (socket.writable && socket.write(`${JSON.stringify(line)}\n`))
  linesOf(socket).once('line', (word) => {
    const restarted = word === 'restart' ? face.restart?.((text) => say({ say: text })) : undefined
    if (restarted !== undefined) {
      void restarted.then((done) => {
        say({ done })
        socket.end()
      })
    } else {
      say(face.status())
      socket.end()
    }
  })
}

/** The status of the keeper that runs with this run folder; null when none does. */
export async function askKeeper(runFolder: string): Promise<KeeperStatus | null> {
  let first = ''
  const asked = await ask(runFolder, 'status', (line) => (first ||= line))
  return asked ? parsed<KeeperStatus>(first) : null
}

/** Asks the keeper for a rolling restart and passes on what it says; null when no keeper runs, or it ended meanwhile. */
export async function askForRestart(runFolder: string, say: (line: string) => void): Promise<boolean | null> {
  let done: boolean | null = null
  await ask(runFolder, 'restart', (text) => {
    const line = parsed<RestartLine>(text)
    if (line !== null && 'say' in line) say(line.say)
    else if (line !== null) done = line.done
  })
  return done
}

/** Sends one word; resolves when the answer is over, with whether anybody was there. */
function ask(runFolder: string, word: string, onLine: (line: string) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketOf(runFolder))
    let there = false
    socket.once('connect', () => {
      there = true
      socket.write(`${word}\n`)
    })
    socket.on('error', () => undefined)
    linesOf(socket).on('line', onLine)
    socket.once('close', () => resolve(there))
  })
}

/** Its own error listener, as readline passes on what the stream's has heard already. */
function linesOf(socket: Socket): Interface {
  return createInterface({ input: socket }).on('error', () => undefined)
}

function parsed<T>(text: string): T | null {
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
