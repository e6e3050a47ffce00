import { createServer, type Server, type Socket } from 'node:net'
import { chmodSync, rmSync } from 'node:fs'
import type { Noticed, OutsideCall } from '#server/demo-carrier/outside-call.ts'

/** What a person at the terminal asks of the carrier, one JSON line each; what comes back, one line each, until `done`. */
export type Order = { kind: 'call'; call: OutsideCall }
export type Reply =
  | { kind: 'started'; callId: string }
  | { kind: 'noticed'; noticed: Noticed }
  | { kind: 'done'; tape: string | null }
  | { kind: 'bad'; why: string }

/** Longest order accepted. */
const orderBytes = 65_536

/** Listens on a local socket that only this user can reach. `act` answers through `reply`; disposing what it gives ends the work when the person is gone. */
export async function listenForOrders(path: string, act: (order: Order, reply: (reply: Reply) => void) => Disposable): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((socket) => serve(socket, act))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o600)
  return server
}

function serve(socket: Socket, act: (order: Order, reply: (reply: Reply) => void) => Disposable): void {
  let text = ''
  let work: Disposable | null = null
  const reply = (each: Reply): void => void (socket.writable && socket.write(`${JSON.stringify(each)}\n`))
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    if (text.length > orderBytes) socket.destroy()
    const end = text.indexOf('\n')
    if (end < 0 || work !== null) return
    const order = orderOf(text.slice(0, end))
    if (order === null) reply({ kind: 'bad', why: 'an order is one line: {"kind":"call","call":{...}}' })
    else work = act(order, reply)
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => work?.[Symbol.dispose]())
}

function orderOf(line: string): Order | null {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'call' || !('call' in value)) return null
    const call = value.call
    if (typeof call !== 'object' || call === null || !('to' in call) || !('tape' in call) || !('script' in call)) return null
    return { kind: 'call', call: call as OutsideCall }
  } catch {
    return null
  }
}
