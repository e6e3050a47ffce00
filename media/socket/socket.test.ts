import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { SocketAddress } from '#media/engine.ts'
import { canonicalAddress, canonicalSocketAddress } from '#media/socket/address.ts'
import { whyNotDirect } from '#media/socket/arrivals.ts'
import { bindDirect } from '#media/socket/direct-socket.ts'
import { MemoryNetwork } from '#media/socket/memory-socket.ts'
import { pairBinder } from '#media/socket/machine-binder.ts'
import { inodesOfPort, ownerOfUdpPort } from '#media/socket/port-owner.ts'
import { type BindFault, isBindFault, type PacketSocket } from '#media/socket/socket.ts'
import { bindUdp } from '#media/socket/udp-socket.ts'
import { connectToPath, listenOnPath } from '#media/socket/unix-line.ts'

test('addresses have one spelling, the one packets come with', () => {
  assert.equal(canonicalAddress('192.0.2.1'), '192.0.2.1')
  assert.equal(canonicalAddress('2001:DB8:0:0::0001'), '2001:db8::1')
  assert.equal(canonicalAddress('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(canonicalAddress('FE80::1%eth0'), 'fe80::1%eth0')
  for (const wrong of ['', 'phone.example', '192.0.2', '1.2.3.4.5', '[::1]']) assert.equal(canonicalAddress(wrong), null)
})

test('a place to send to has a port from 1 to 65535', () => {
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) assert.equal(canonicalSocketAddress({ address: '192.0.2.1', port }), null)
  assert.deepEqual(canonicalSocketAddress({ address: '::1', port: 65_535 }), { address: '::1', port: 65_535 })
})

test('the owner of a port is found in the form of /proc/net/udp', () => {
  const table = [
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops',
    '  313: 0100007F:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0',
    '  314: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   109        0 4712 2 0000000000000000 0',
    '',
  ].join('\n')
  assert.deepEqual(inodesOfPort(table, 20_000), ['4711'])
  assert.deepEqual(inodesOfPort(table, 20_001), [])
  assert.deepEqual(inodesOfPort('', 20_000), [])
})

test('a port that this process has is said to be its own; one that nobody has is nobody’s', {
  skip: process.platform !== 'linux',
}, async () => {
  const socket = await bound()
  assert.match((await ownerOfUdpPort(socket.local.port)) ?? '', new RegExp(`process ${process.pid}`))
  const { port } = socket.local
  socket.close()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await ownerOfUdpPort(port), null)
})

/** How this machine's sockets can be bound. */
const bodies: Record<string, (local: SocketAddress) => Promise<PacketSocket | BindFault>> = {
  'node:dgram': bindUdp,
  ...(whyNotDirect() === null && { 'system calls': async (local: SocketAddress) => bindDirect(local) }),
}

/** A socket on a port named, not given by the system: only such a port survives being fixed and opened again. */
async function bound(bind = bindUdp as (typeof bodies)[string], address = '127.0.0.1'): Promise<PacketSocket> {
  for (;;) {
    const socket = await bind({ address, port: randomInt(24_000, 56_000) })
    if (!isBindFault(socket)) return socket
  }
}

test('on Linux sockets are bound by system calls', { skip: process.platform !== 'linux' }, () => {
  assert.equal(whyNotDirect(), null)
})

/** The contract of PacketSocket, run against the real ones and the one in memory. */
const kinds: Record<string, () => Promise<[PacketSocket, PacketSocket, PacketSocket]>> = {
  ...Object.fromEntries(
    Object.entries(bodies).map(([name, bind]) => [name, async () => [await bound(bind), await bound(bind), await bound(bind)]]),
  ),
  memory: async () => {
    const network = new MemoryNetwork()
    const open = (port: number): PacketSocket => network.open({ address: '192.0.2.1', port })
    return [open(1), open(2), open(3)]
  },
}

for (const [kind, open] of Object.entries(kinds)) {
  test(`${kind}: fixed, a socket hears only its peer, and hears everybody again when it is opened`, async () => {
    const [own, peer, stranger] = await open()
    const heard: string[] = []
    let tell: () => void = () => undefined
    own.receive = (packet, address, port) => {
      assert.deepEqual({ address, port }, (packet[0] === 1 ? peer : stranger).local)
      heard.push(`${packet[0]}${packet[1]}`)
      tell()
    }
    const arrived = (count: number): Promise<void> =>
      new Promise((resolve) => {
        tell = () => void (heard.length >= count && resolve())
        tell()
      })
    const both = (n: number): void => {
      stranger.send(Buffer.from([2, n]), own.local)
      peer.send(Buffer.from([1, n]), own.local)
    }
    both(0)
    await arrived(2)
    own.fix(peer.local)
    assert.equal(own.fixed, true)
    both(1)
    await arrived(3)
    own.fix(null)
    assert.equal(own.fixed, false)
    both(2)
    await arrived(5)
    assert.deepEqual(heard, ['20', '10', '11', '22', '12'])
    const answered = new Promise<SocketAddress>((resolve) => (peer.receive = (_, address, port) => resolve({ address, port })))
    own.fix(peer.local)
    own.send(Buffer.from([9]), peer.local)
    assert.deepEqual(await answered, own.local)
    for (const socket of [own, peer, stranger]) {
      socket.close()
      socket.close()
      socket.send(Buffer.from([1]), own.local)
      socket.fix(null)
    }
  })
}

/** What a socket hears next. */
function next(socket: PacketSocket): Promise<{ packet: Buffer; from: SocketAddress }> {
  return new Promise((resolve) => {
    socket.receive = (packet, address, port) => resolve({ packet: Buffer.from(packet), from: { address, port } })
  })
}

for (const [kind, bind] of Object.entries(bodies)) {
  test(`${kind}: a pair is both ports or none`, async () => {
    const binder = pairBinder(bind)
    const blocker = await bound(bind)
    const { port } = blocker.local
    const even = port - (port % 2)
    const fault = await binder.bind({ address: '127.0.0.1', port: even })
    assert.deepEqual(fault, { kind: 'taken', port, code: 'EADDRINUSE' })
    const refused = await binder.bind({ address: '192.0.2.77', port: 20_000 })
    assert.deepEqual(refused, { kind: 'refused', port: 20_000, code: 'EADDRNOTAVAIL' })
    blocker.close()
    const pair = await binder.bind({ address: '127.0.0.1', port: even })
    assert.ok(!isBindFault(pair))
    assert.deepEqual([pair.rtp.local.port, pair.rtcp.local.port], [even, even + 1])
    pair.rtp.close()
    pair.rtcp.close()
  })

  for (const [any, one] of [
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ] as const) {
    test(`${kind}: bound to ${any}, a socket is reached at ${one}, knows who sends, and answers`, async () => {
      const wide = await bound(bind, any)
      const peer = await bound(bind, one)
      assert.equal(wide.local.address, any)
      const asked = next(wide)
      peer.send(Buffer.from('question'), { address: one, port: wide.local.port })
      const { packet, from } = await asked
      assert.equal(packet.toString(), 'question')
      assert.deepEqual(from, peer.local)
      for (const isFixed of [false, true]) {
        if (isFixed) wide.fix(from)
        assert.equal(wide.fixed, isFixed)
        const answered = next(peer)
        wide.send(Buffer.from('answer'), from)
        assert.deepEqual(await answered, { packet: Buffer.from('answer'), from: { address: one, port: wide.local.port } })
      }
      wide.close()
      peer.close()
    })
  }

  test(`${kind}: datagrams of every size come as they were sent, from an own buffer or from the one received`, async () => {
    const [own, echo] = [await bound(bind), await bound(bind)]
    echo.receive = (packet, address, port) => echo.send(packet, { address, port })
    for (const size of [0, 1, 12, 172, 1500, 2047, 2048, 9000, 65_507]) {
      const sent = randomBytes(size)
      const heard = next(own)
      own.send(sent, echo.local)
      const { packet } = await heard
      assert.ok(packet.equals(sent), `${size} bytes`)
    }
    own.send(Buffer.alloc(65_508), echo.local)
    const inside = next(own)
    echo.receive = (packet, address, port) => {
      echo.fix({ address, port })
      echo.send(packet.subarray(4, 8), { address, port })
    }
    own.send(Buffer.from('____part____'), echo.local)
    assert.equal((await inside).packet.toString(), 'part')
    own.close()
    echo.close()
  })

  test(`${kind}: a peer that is not there yet is sent to again, and heard when it comes`, async () => {
    const [own, gone] = [await bound(bind), await bound(bind)]
    const later = gone.local
    gone.close()
    own.fix(later)
    const heard = next(own)
    for (let i = 0; i < 3; i++) {
      own.send(Buffer.from([i]), later)
      await turn()
    }
    const peer = await bind(later)
    assert.ok(!isBindFault(peer))
    const arrived = next(peer)
    own.send(Buffer.from('at last'), later)
    assert.equal((await arrived).packet.toString(), 'at last')
    peer.send(Buffer.from('here'), own.local)
    assert.equal((await heard).packet.toString(), 'here')
    own.close()
    peer.close()
  })

  test(`${kind}: what came before anybody listened is not heard`, async () => {
    const [own, peer] = [await bound(bind), await bound(bind)]
    peer.send(Buffer.from('early'), own.local)
    await turn()
    await turn()
    const heard = next(own)
    peer.send(Buffer.from('in time'), own.local)
    assert.equal((await heard).packet.toString(), 'in time')
    own.close()
    peer.close()
  })

  test(`${kind}: what is sent and heard is overheard before anybody changes it`, async () => {
    const [own, peer] = [await bound(bind), await bound(bind)]
    const lines: string[] = []
    own.overhear = (direction, packet, { port }) =>
      void lines.push(`${direction} ${Buffer.from(packet).toString()} ${port === peer.local.port}`)
    own.receive = (packet) => {
      packet.fill(0)
      own.send(Buffer.from('back'), peer.local)
    }
    const answered = next(peer)
    peer.send(Buffer.from('forth'), own.local)
    await answered
    assert.deepEqual(lines, ['in forth true', 'out back true'])
    own.close()
    peer.close()
  })
}

test('a line carries messages in order in both directions, tells its end, and refuses what is no message', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'line-'))
  const path = join(folder, 's')
  await writeFile(path, 'left by a process that died')
  const got: number[] = []
  const served = Promise.withResolvers<void>()
  const listener = await listenOnPath<number, string>(path, (line) => ({
    message: (n) => {
      got.push(n)
      line.send(`heard ${n} ${'é'.repeat(100_000)}`)
    },
    gone: () => served.resolve(),
  }))
  await assert.rejects(
    listenOnPath(path, () => ({ message: () => undefined, gone: () => undefined })),
    /another process listens/,
  )
  const answers: string[] = []
  const gone = Promise.withResolvers<string>()
  const all = Promise.withResolvers<void>()
  const line = connectToPath<string, number>(path, {
    up: () => [1, 2, 3].forEach((n) => line.send(n)),
    message: (text) => void (answers.push(text) === 3 && all.resolve()),
    gone: gone.resolve,
  })
  await all.promise
  assert.deepEqual(got, [1, 2, 3])
  assert.ok(answers.every((text, i) => text === `heard ${i + 1} ${'é'.repeat(100_000)}`))
  line.end()
  assert.equal(await gone.promise, 'ended')
  await served.promise
  await listener[Symbol.asyncDispose]()
  const nobody = Promise.withResolvers<string>()
  connectToPath(path, { up: () => undefined, message: () => undefined, gone: nobody.resolve })
  assert.match(await nobody.promise, /ENOENT/)
  await rm(folder, { recursive: true })
})

test('what may wait keeps its place among what may not, and goes out by itself when nothing follows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'line-'))
  const path = join(folder, 's')
  const got: string[] = []
  const heard = new Map(['two', 'four'].map((word) => [word, Promise.withResolvers<void>()]))
  const listener = await listenOnPath<string, never>(path, () => ({
    message: (word) => {
      got.push(word)
      heard.get(word)?.resolve()
    },
    gone: () => undefined,
  }))
  const up = Promise.withResolvers<void>()
  const line = connectToPath<never, string>(path, { up: up.resolve, message: () => undefined, gone: () => undefined })
  await up.promise
  line.send('one', true)
  line.send('two')
  await heard.get('two')?.promise
  line.send('three', true)
  line.send('four', true)
  await heard.get('four')?.promise
  assert.deepEqual(got, ['one', 'two', 'three', 'four'])
  line.end()
  await listener[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('what is sent in many turns of the event loop wakes the other side less often', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'line-'))
  const path = join(folder, 's')
  const messages = Array.from({ length: 50 }, (_, n) => n)
  const all = Promise.withResolvers<void>()
  let text = ''
  let reads = 0
  const server = createServer((socket) => {
    socket.on('data', (chunk: Buffer) => {
      reads++
      text += chunk.toString()
      if (text.split('\n').length > messages.length) all.resolve()
    })
  })
  await new Promise<void>((resolve) => void server.listen(path, resolve))
  const up = Promise.withResolvers<void>()
  const gone = Promise.withResolvers<string>()
  const line = connectToPath<string, number>(path, { up: up.resolve, message: () => undefined, gone: gone.resolve })
  t.after(async () => {
    line.end()
    await gone.promise
    server.close()
    await rm(folder, { recursive: true })
  })
  await up.promise
  for (const n of messages) {
    line.send(n)
    await turn()
  }
  await all.promise
  assert.deepEqual(text.trim().split('\n').map(Number), messages)
  assert.ok(reads < messages.length / 2, `${reads} reads`)
})
