import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { KeptStatus } from '#server/keeper/kept.ts'

/** What a running keeper tells whoever connects to its socket, as one line of JSON. */
export interface KeeperStatus {
  pid: number
  processes: KeptStatus[]
}

const socketOf = (runFolder: string): string => join(runFolder, 'keeper.sock')

/**
 * Makes this keeper the only one of its data folder, and tells its status to whoever asks. Gives the status of the keeper that is
 * there already, if there is one: a listening socket, unlike a file with a process id, cannot outlive its process.
 */
export async function becomeTheOnlyKeeper(runFolder: string, status: () => KeeperStatus): Promise<Server | KeeperStatus> {
  const other = await askKeeper(runFolder)
  if (other !== null) return other
  await rm(socketOf(runFolder), { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(`${JSON.stringify(status())}\n`)
  })
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(socketOf(runFolder), listening.resolve)
  await listening.promise
  server.unref()
  return server
}

/** The status of the keeper that runs with this run folder; null when none does. */
export function askKeeper(runFolder: string): Promise<KeeperStatus | null> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(socketOf(runFolder)).setEncoding('utf8')
    socket.on('error', () => resolve(null))
    socket.on('data', (chunk) => void (text += String(chunk)))
    socket.on('end', () => resolve(parseStatus(text)))
  })
}

function parseStatus(text: string): KeeperStatus | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
