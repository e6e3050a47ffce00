import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer, type Server } from 'node:net'

/**
 * Ports of 127.0.0.1 for the programs of one test. They lie below those that the machine gives out by itself (Linux: from 32,768 on), and no
 * other test that runs now has them: whoever claims a lot of a hundred listens on its last port for as long.
 */
export interface PortClaim extends Disposable {
  /** The first of them, even; those that follow are the claim's too. */
  readonly first: number
}

const lowest = 10_000
const lot = 100
const lots = 220

/**
 * Claims `count` ports in a row, the first ten of which no other program has, either. Held until it is disposed of, or the process ends.
 * Throws when none are left.
 */
export async function claimPorts(count: number): Promise<PortClaim> {
  const wanted = Math.ceil((count + 1) / lot)
  // Begun anywhere, so that tests that start together seldom want the same.
  const start = randomInt(lots)
  for (let n = 0; n < lots; n++) {
    const nth = (start + n) % lots
    if (nth + wanted > lots) continue
    const first = lowest + nth * lot
    const marks = await Promise.all(Array.from({ length: wanted }, (_, i) => holdTcp(first + (i + 1) * lot - 1)))
    const held = marks.filter((mark) => mark !== null)
    const probed = Array.from({ length: Math.min(count, 10) }, (_, i) => isFree(first + i))
    if (held.length === wanted && (await Promise.all(probed)).every(Boolean)) return { first, [Symbol.dispose]: () => letGo(held) }
    letGo(held)
  }
  throw new Error(`no ${count} ports in a row are free from ${lowest} to ${lowest + lots * lot - 1}`)
}

/** A port for a program that a test starts, and those after it as far as they are its own lot: until the test file ends. */
export async function claimPort(): Promise<number> {
  const { first } = await claimPorts(lot - 1)
  return first
}

/** Whether nobody has a port now, by UDP nor TCP. */
async function isFree(port: number): Promise<boolean> {
  const server = await holdTcp(port)
  server?.close()
  return server !== null && (await canBind(port))
}

function letGo(held: readonly Server[]): void {
  for (const server of held) server.close()
}

/** By TCP: the port stays one that audio may use. */
function holdTcp(port: number): Promise<Server | null> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => resolve(server.unref()))
  })
}

function canBind(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close()
      resolve(false)
    })
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)))
  })
}
