import { connect, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import type { CrowdSpec, CrowdTally } from '#test/abuse/crowd.ts'

// The thread of a crowd: see crowd.ts.

const spec = workerData as CrowdSpec
const tally: CrowdTally = { made: 0, refused: 0 }
const open = new Set<Socket>()
const total = spec.addresses * spec.each
/** So many at a time are on their way in: the other end's queue is short. */
const atOnce = 100

let tried = 0
let under = 0
let isComplete = false
function next(): void {
  while (under < atOnce && tried < total) join(tried++)
  if (under > 0 || tried < total || isComplete) return
  isComplete = true
  parentPort?.postMessage(tally)
}

function join(n: number): void {
  under++
  let isUnder = true
  const decided = (): void => {
    if (!isUnder) return
    isUnder = false
    under--
    setImmediate(next)
  }
  const localAddress = `127.${spec.network}.0.${(n % spec.addresses) + 1}`
  const socket = connect({ host: spec.to.address, port: spec.to.port, localAddress })
  socket.on('connect', () => {
    tally.made++
    open.add(socket)
    if (spec.says !== '') socket.write(spec.says.replaceAll('{n}', `${spec.network}x${n}`))
    decided()
  })
  socket.on('data', () => undefined)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (open.delete(socket) || isUnder) tally.refused++
    decided()
  })
}

if (spec.drips !== '') {
  let at = 0
  setInterval(() => {
    const byte = spec.drips[at++ % spec.drips.length] ?? ''
    for (const socket of open) socket.write(byte)
  }, spec.dripMs)
}
parentPort?.on('message', () => parentPort?.postMessage(tally))
next()
