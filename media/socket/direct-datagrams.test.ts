import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import type { SocketAddress } from '#media/engine.ts'
import { whyNotDirect } from '#media/socket/arrivals.ts'
import { bindDatagrams, type DirectDatagrams } from '#media/socket/direct-datagrams.ts'
import { isBindFault } from '#media/socket/socket.ts'

const skip = whyNotDirect() ?? false

/** A socket of either kind of address, and what comes to it. */
class Host implements Disposable {
  readonly socket: DirectDatagrams
  readonly got: { bytes: Buffer; remote: SocketAddress }[] = []
  readonly refused: string[] = []
  #wake: () => void = () => undefined

  constructor(address = '127.0.0.1') {
    const socket = bindDatagrams(
      { address, port: 0 },
      {
        roomBytes: 1_048_576,
        onDatagram: (bytes, remote) => {
          this.got.push({ bytes, remote })
          this.#wake()
        },
        onRefused: ({ address: where }, code) => {
          this.refused.push(`${where} ${code}`)
          this.#wake()
        },
      },
    )
    if (isBindFault(socket)) throw new Error(socket.code)
    this.socket = socket
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  [Symbol.dispose](): void {
    this.socket.close()
  }
}

for (const address of ['127.0.0.1', '::1']) {
  test(`what is sent in one turn comes in order, each in bytes of its own (${address})`, { skip }, async () => {
    using one = new Host(address)
    using two = new Host(address)
    // More than leave in one call, and among them some that are longer than what may wait.
    const sent = Array.from({ length: 70 }, (_, i) => Buffer.alloc(i % 9 === 8 ? 5000 + i : 40 + i, i))
    for (const bytes of sent) one.socket.send(bytes, two.socket.local)
    await two.until(() => two.got.length === sent.length)
    assert.deepEqual(
      two.got.map(({ bytes }) => bytes),
      sent,
    )
    assert.deepEqual(two.got[0]?.remote, one.socket.local)
  })
}

test('answers of one turn go each to its own', { skip }, async () => {
  using server = new Host()
  using one = new Host()
  using two = new Host()
  for (const client of [one, two, one]) client.socket.send(Buffer.from(String(client.socket.local.port)), server.socket.local)
  await server.until(() => server.got.length === 3)
  for (const { bytes, remote } of server.got) server.socket.send(bytes, remote)
  await one.until(() => one.got.length === 2)
  await two.until(() => two.got.length === 1)
  for (const client of [one, two]) for (const { bytes } of client.got) assert.equal(bytes.toString(), String(client.socket.local.port))
})

test('bytes may be changed once they were given', { skip }, async () => {
  using one = new Host()
  using two = new Host()
  const bytes = Buffer.from('before')
  one.socket.send(bytes, two.socket.local)
  bytes.fill(0)
  await two.until(() => two.got.length === 1)
  assert.equal(two.got[0]?.bytes.toString(), 'before')
})

test('what the system refuses is told of by name, and what stands behind it is sent all the same', { skip }, async () => {
  using one = new Host()
  using two = new Host()
  one.socket.send(Buffer.from('1'), two.socket.local)
  // Loopback is no way out of this machine.
  one.socket.send(Buffer.from('2'), { address: '192.0.2.1', port: 5060 })
  one.socket.send(Buffer.from('3'), two.socket.local)
  one.socket.send(Buffer.alloc(65_508), two.socket.local)
  one.socket.send(Buffer.from('4'), { address: 'phone.example', port: 5060 })
  assert.equal(one.refused.length, 0, 'not while it is sent')
  await two.until(() => two.got.length === 2)
  await one.until(() => one.refused.length === 3)
  assert.deepEqual(
    two.got.map(({ bytes }) => bytes.toString()),
    ['1', '3'],
  )
  const refused = one.refused.toSorted((a, b) => a.localeCompare(b))
  // Which word the system has for the first depends on its routes.
  assert.deepEqual(refused.slice(0, 1), ['127.0.0.1 EMSGSIZE'])
  assert.match(refused[1] ?? '', /^192\.0\.2\.1 E[A-Z]+$/)
  assert.equal(refused[2], 'phone.example EINVAL')
})

test('what waits is sent before the socket closes; a closed one sends and hears nothing', { skip }, async () => {
  using one = new Host()
  using two = new Host()
  one.socket.send(Buffer.from('last'), two.socket.local)
  one.socket.close()
  one.socket.send(Buffer.from('too late'), two.socket.local)
  await two.until(() => two.got.length === 1)
  two.socket.send(Buffer.from('nobody'), one.socket.local)
  assert.equal(two.got[0]?.bytes.toString(), 'last')
  assert.equal(one.got.length, 0)
})

/** Three datagrams that come together, what is heard of them, and what becomes of each. Resolves when the `last` has been heard. */
async function three(last: number, on: (nth: number, socket: DirectDatagrams) => void): Promise<string[]> {
  using one = new Host()
  const heard: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = bindDatagrams(
    { address: '127.0.0.1', port: 0 },
    {
      roomBytes: 65_536,
      onDatagram: (bytes) => {
        heard.push(bytes.toString())
        if (heard.length === last) setImmediate(resolve)
        if (!isBindFault(socket)) on(heard.length, socket)
      },
      onRefused: () => undefined,
    },
  )
  if (isBindFault(socket)) throw new Error(socket.code)
  for (const text of ['1', '2', '3']) one.socket.send(Buffer.from(text), socket.local)
  await promise
  socket.close()
  return heard
}

test('who closes it in the middle of what came together hears no more of it', { skip }, async () => {
  const heard = await three(2, (nth, socket) => {
    if (nth === 2) socket.close()
  })
  assert.deepEqual(heard, ['1', '2'])
})

test('a fault over one of them does not take the others along', { skip }, async () => {
  const faults: unknown[] = []
  process.setUncaughtExceptionCaptureCallback((fault) => faults.push(fault))
  try {
    const heard = await three(3, (nth) => {
      if (nth === 1) throw new Error('the first')
    })
    assert.deepEqual(heard, ['1', '2', '3'])
  } finally {
    process.setUncaughtExceptionCaptureCallback(null)
  }
  assert.deepEqual(
    faults.map((fault) => (fault as Error).message),
    ['the first'],
  )
})

test('a port that somebody has is refused by name', { skip }, async () => {
  const other = createSocket('udp4')
  other.bind(0, '127.0.0.1')
  await once(other, 'listening')
  const fault = bindDatagrams(
    { address: '127.0.0.1', port: other.address().port },
    { roomBytes: 65_536, onDatagram: () => undefined, onRefused: () => undefined },
  )
  assert.deepEqual(fault, { kind: 'taken', port: other.address().port, code: 'EADDRINUSE' })
  other.close()
})
