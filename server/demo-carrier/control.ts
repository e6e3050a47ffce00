import { createServer, type Server, type Socket } from 'node:net'
import { chmodSync, rmSync } from 'node:fs'
import Type from 'typebox'
import { Check } from 'typebox/schema'
import type { Noticed, OutsideCall } from '#server/demo-carrier/outside-call.ts'

/** What a caller does on the line that its script does not say. */
export type LineOrder = { kind: 'press'; digits: string } | { kind: 'play'; file: string } | { kind: 'hang-up' }

/** What a person at the terminal asks of the carrier, one JSON line each, a call first; what comes back, one line each, until `done`. */
export type Order = { kind: 'call'; call: OutsideCall } | LineOrder
export type Reply =
  | { kind: 'started'; callId: string }
  | { kind: 'noticed'; noticed: Noticed }
  | { kind: 'done'; tape: string | null }
  | { kind: 'bad'; why: string }

/** Longest order accepted. */
const orderBytes = 65_536

/** Makes a call, answers through `reply`, and gives what takes further orders: hanging up may be ordered however often. */
export type PlaceCall = (call: OutsideCall, reply: (reply: Reply) => void) => (order: LineOrder) => void

/** Listens on a local socket that only this user can reach. A call ends with the connection of whoever ordered it. */
export async function listenForOrders(path: string, place: PlaceCall): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((socket) => serve(socket, place))
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o600)
  return server
}

function serve(socket: Socket, place: PlaceCall): void {
  let text = ''
  let call: ((order: LineOrder) => void) | null = null
  const reply = (each: Reply): void => void (socket.writable && socket.write(`${JSON.stringify(each)}\n`))
  const obey = (line: string): void => {
    const order = orderOf(line)
    if (order === null) reply({ kind: 'bad', why: 'an order is one line: {"kind":"call","call":{...}}, then press, play or hang-up' })
    else if (order.kind !== 'call') call?.(order)
    else if (call === null) call = place(order.call, reply)
    else reply({ kind: 'bad', why: 'one connection makes one call' })
  }
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      obey(line)
    }
    if (text.length > orderBytes) socket.destroy()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => call?.({ kind: 'hang-up' }))
}

function orderOf(line: string): Order | null {
  try {
    const order: unknown = JSON.parse(line)
    return Check(OrderShape, order) ? (order as Order) : null
  } catch {
    return null
  }
}

const text = Type.String({ maxLength: 4096 })
const atMs = Type.Number({ minimum: 0 })
const headers = Type.Array(Type.Tuple([text, text]))

/** What an order must look like; `OutsideCall` and `Script` say what it means. */
const OrderShape = Type.Union([
  Type.Object({ kind: Type.Literal('hang-up') }),
  Type.Object({ kind: Type.Literal('press'), digits: text }),
  Type.Object({ kind: Type.Literal('play'), file: text }),
  Type.Object({
    kind: Type.Literal('call'),
    call: Type.Object({
      ...{ to: text, from: text, tape: text, ringMs: atMs, headers },
      script: Type.Object({
        digits: Type.Array(Type.Object({ digits: text, atMs })),
        plays: Type.Array(Type.Object({ file: text, atMs })),
        hangUpAfterMs: Type.Union([atMs, Type.Null()]),
      }),
    }),
  }),
])
