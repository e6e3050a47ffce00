import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { SocketAddress } from '#media/engine.ts'
import { canonicalAddress, canonicalSocketAddress } from '#media/socket/address.ts'
import { MemoryNetwork } from '#media/socket/memory-socket.ts'
import { inodesOfPort, ownerOfUdpPort } from '#media/socket/port-owner.ts'
import type { PacketSocket } from '#media/socket/socket.ts'
import { bindUdp, UdpSocket, udpBinder } from '#media/socket/udp-socket.ts'
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

/** A socket on a port named, not given by the system: only such a port survives being fixed and opened again. */
async function bound(): Promise<UdpSocket> {
  for (;;) {
    const socket = await bindUdp({ address: '127.0.0.1', port: randomInt(24_000, 56_000) })
    if (socket instanceof UdpSocket) return socket
  }
}

/** The contract of PacketSocket, run against the real one and the one in memory. */
const kinds: Record<string, () => Promise<[PacketSocket, PacketSocket, PacketSocket]>> = {
  UDP: async () => [await bound(), await bound(), await bound()],
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

test('a pair is both ports or none', async () => {
  const blocker = await bound()
  const { port } = blocker.local
  const even = port - (port % 2)
  const fault = await udpBinder.bind({ address: '127.0.0.1', port: even })
  assert.deepEqual(fault, { kind: 'taken', port, code: 'EADDRINUSE' })
  const refused = await udpBinder.bind({ address: '192.0.2.77', port: 20_000 })
  assert.equal('kind' in refused && refused.kind, 'refused')
  blocker.close()
})

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
