import { randomBytes } from 'node:crypto'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'
import type { FloodSpec, FloodTally } from '#test/abuse/flood.ts'

// The thread of one attacker: see flood.ts.

const spec = workerData as FloodSpec
const tally: FloodTally = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, statuses: {}, connections: 0 }
const ports = (spec.toLastPort ?? spec.to.port) - spec.to.port + 1
const beatMs = 5
const life = randomBytes(6).toString('hex')
/** What waits for a slow server before we hold back: an attacker has no more memory than others. */
const mostWaiting = 1_000_000

function hear(bytes: Buffer): void {
  tally.receivedBytes += bytes.length
  for (const [, status = '', method = ''] of bytes.toString('latin1').matchAll(/^(?:SIP\/2\.0 (\d{3})|([A-Z]+) sip:)/gm)) {
    tally.received++
    tally.statuses[status + method] = (tally.statuses[status + method] ?? 0) + 1
  }
}

const line = spec.transport === 'udp' ? await overUdp() : spec.transport === 'wss' ? overWebSocket() : overStream()
const startedAt = performance.now()
const timer = setInterval(() => {
  const elapsed = performance.now() - startedAt
  const due = Math.min((elapsed / 1000) * spec.perSecond, spec.perSecond * spec.seconds)
  while (tally.sent < due) {
    const bytes = Buffer.from((spec.messages[tally.sent % spec.messages.length] ?? '').replaceAll('{n}', `${life}x${tally.sent}`), 'latin1')
    tally.sent++
    tally.sentBytes += bytes.length
    line.send(bytes)
  }
  if (elapsed > spec.seconds * 1000 + 300) {
    clearInterval(timer)
    line.close()
    parentPort?.postMessage(tally)
  }
}, beatMs)

async function overUdp(): Promise<{ send(bytes: Buffer): void; close(): void }> {
  const sockets = await Promise.all(Array.from({ length: spec.sources ?? 1 }, (_, n) => udpSocket(addressAfter(spec.from, n))))
  return {
    send: (bytes) => {
      sockets[tally.sent % sockets.length]?.send(bytes, spec.to.port + (tally.sent % ports), spec.to.address, () => undefined)
    },
    close: () => {
      for (const socket of sockets) socket.close()
    },
  }
}

async function udpSocket(address: string): Promise<UdpSocket> {
  const socket = createSocket({ type: 'udp4', ...(spec.sources === undefined && { recvBufferSize: 4_000_000 }) })
  socket.on('message', (bytes, from) => {
    hear(bytes)
    const text = bytes.toString('latin1')
    if (spec.answers !== undefined && !text.startsWith('SIP/2.0')) socket.send(answered(text, spec.answers), from.port, from.address)
  })
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.bind(spec.fromPort, address, resolve))
  return socket
}

function answered(request: string, status: string): string {
  const copied = request.split('\r\n').filter((line) => /^(?:via|from|to|call-id|cseq):/i.test(line))
  return [`SIP/2.0 ${status}`, ...copied, 'Content-Length: 0', '', ''].join('\r\n')
}

function addressAfter(from: string, n: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = from.split('.').map(Number)
  const at = c * 256 + d + n
  return `${a}.${b}.${at >> 8}.${at & 255}`
}

/** Makes a new connection as soon as one is closed. */
function overStream(): { send(bytes: Buffer): void; close(): void } {
  let socket: Socket | null = null
  const open = (): Socket => {
    tally.connections++
    const at = { host: spec.to.address, port: spec.to.port, localAddress: spec.from }
    const made = spec.transport === 'tls' ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at)
    made.on('data', hear)
    made.on('error', () => undefined)
    made.on('close', () => (socket = null))
    return made
  }
  return {
    send: (bytes) => {
      socket ??= open()
      if (socket.writableLength < mostWaiting) socket.write(bytes)
    },
    close: () => socket?.destroy(),
  }
}

function overWebSocket(): { send(bytes: Buffer): void; close(): void } {
  let socket: WebSocket | null = null
  const open = (): WebSocket => {
    tally.connections++
    const { address, port } = spec.to
    const made = new WebSocket(`wss://${address}:${port}/sip`, 'sip', { rejectUnauthorized: false, localAddress: spec.from })
    made.on('message', (bytes: Buffer) => hear(bytes))
    made.on('error', () => undefined)
    made.on('close', () => (socket = null))
    return made
  }
  return {
    send: (bytes) => {
      socket ??= open()
      if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < mostWaiting) socket.send(bytes)
    },
    close: () => socket?.terminate(),
  }
}
