import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { SocketAddress } from '#media/engine.ts'
import { PortStock } from '#media/engine/stock.ts'
import { MemoryNetwork } from '#media/socket/memory-socket.ts'
import { isBindFault, type PortPair } from '#media/socket/socket.ts'

interface Setup {
  clock: VirtualClock
  network: MemoryNetwork
  stock: PortStock
  added: SocketAddress[]
  warnings: unknown[]
}

function build(first: number, last: number, addresses = ['192.0.2.1']): Setup {
  const clock = new VirtualClock()
  const network = new MemoryNetwork()
  const warnings: unknown[] = []
  const log = { ...silentLog, warn: (_: string, fields?: Record<string, unknown>) => void warnings.push(fields) }
  const stock = new PortStock({
    clock,
    log,
    binder: network,
    range: { addresses, first, last },
    below: (limit) => countingRandom().below(limit),
  })
  const added: SocketAddress[] = []
  stock.onAdded = (more) => added.push(...more)
  return { clock, network, stock, added, warnings }
}

function taken(stock: PortStock, port: number): PortPair {
  const pair = stock.take({ address: '192.0.2.1', port })
  assert.ok(pair !== null)
  return pair
}

test('pairs are even and odd ports within the range', async () => {
  const { stock, network } = build(20_001, 20_008)
  assert.equal(await stock.open(), null)
  assert.deepEqual(
    stock.free.map(({ port }) => port),
    [20_002, 20_004, 20_006],
  )
  assert.equal(stock.capacity, 3)
  assert.equal(network.bound, 6)
})

test('a port that another program has is skipped and told once, with who has it', async () => {
  const { stock, network, warnings, clock } = build(20_000, 20_009)
  network.taken.set(20_003, 'rtpengine (process 7)')
  assert.equal(await stock.open(), null)
  assert.deepEqual(
    stock.free.map(({ port }) => port),
    [20_000, 20_004, 20_006, 20_008],
  )
  assert.equal(network.bound, 8, 'the RTP half of the skipped pair is not kept')
  taken(stock, 20_000)
  await clock.advanceAsync(120_000)
  taken(stock, 20_004)
  await clock.advanceAsync(0)
  assert.deepEqual(warnings, [{ port: 20_003, owner: 'rtpengine (process 7)', code: 'EADDRINUSE' }])
})

test('when not one port can be bound, the sentence names the port, who has it and the setting', async () => {
  const { stock, network } = build(20_000, 20_001)
  network.taken.set(20_000, 'rtpengine (process 7)')
  const refusal = await stock.open()
  assert.match(refusal ?? '', /port 20000 is taken by rtpengine \(process 7\).*set by CENTRALA_RTP_FIRST_PORT/)
})

test('an address beside the usual one may fail', async () => {
  const { stock, network } = build(20_000, 20_001, ['192.0.2.1', '2001:db8::1'])
  assert.equal((await network.bind({ address: '2001:db8::1', port: 20_000 })) !== null, true)
  assert.equal(await stock.open(), null)
  assert.deepEqual(stock.free, [{ address: '192.0.2.1', port: 20_000 }])
})

test('a range without a pair is refused', async () => {
  assert.match((await build(20_001, 20_002).stock.open()) ?? '', /No RTP port pair lies in the range/)
})

test('a released pair rests, keeps its sockets, and comes back', async () => {
  const { stock, network, clock, added } = build(20_000, 20_003)
  await stock.open()
  added.length = 0
  const pair = taken(stock, 20_000)
  stock.release(pair)
  assert.equal(stock.take(pair.local), null, 'it rests')
  clock.advance(2900)
  assert.equal(stock.take(pair.local), null)
  clock.advance(200)
  assert.deepEqual(added, [pair.local])
  assert.equal(taken(stock, 20_000), pair)
  assert.equal(network.bound, 4)
})

test('the stock is filled up as it is taken, and grows when it is taken fast', async () => {
  const { stock, clock } = build(20_000, 29_999)
  await stock.open()
  assert.equal(stock.free.length, 128)
  for (const { port } of stock.free.slice(0, 120)) taken(stock, port)
  for (let turns = 0; turns < 20; turns++) await clock.advanceAsync(0)
  assert.ok(stock.free.length > 128)
  assert.equal(new Set(stock.free.map(({ port }) => port)).size, stock.free.length)
})

test('a promised port is had whether it is ready, resting, or not bound', async () => {
  const { stock, network } = build(20_000, 20_001)
  await stock.open()
  const local = { address: '192.0.2.1', port: 20_000 }
  const ready = await stock.claim(local)
  assert.ok(!isBindFault(ready))
  stock.release(ready)
  assert.equal(await stock.claim(local), ready)
  const beyond = await stock.claim({ address: '192.0.2.1', port: 30_000 })
  assert.ok(!isBindFault(beyond))
  assert.equal(network.bound, 4)
})

test('a promised port that another process still has is tried for a while', async () => {
  const { stock, network, clock } = build(20_000, 20_001)
  await stock.open()
  network.taken.set(20_100, 'an engine that is ending')
  const claimed = stock.claim({ address: '192.0.2.1', port: 20_100 })
  await clock.advanceAsync(200)
  network.taken.delete(20_100)
  await clock.advanceAsync(30)
  assert.ok(!isBindFault(await claimed))
  network.taken.set(20_200, 'somebody who stays')
  const never = stock.claim({ address: '192.0.2.1', port: 20_200 })
  await clock.advanceAsync(2000)
  assert.deepEqual(await never, { kind: 'taken', port: 20_200, code: 'EADDRINUSE' })
})

test('what a burst of calls has bound is there for the next one, and closed when there is none', async () => {
  const { stock, network, clock } = build(20_000, 29_999)
  await stock.open()
  const burst = async (): Promise<PortPair[]> => {
    const pairs: PortPair[] = []
    while (pairs.length < 1500) {
      for (const { port } of stock.free.slice(0, 1500 - pairs.length)) pairs.push(taken(stock, port))
      await clock.advanceAsync(1)
    }
    return pairs
  }
  for (const pair of await burst()) stock.release(pair)
  await clock.advanceAsync(5000)
  const bound = network.bound
  assert.ok(bound >= 2 * 1500)
  assert.ok(stock.free.length < 1100)
  const again = await burst()
  assert.ok(network.bound < bound + 2 * 1024, 'those of before were taken again')
  for (const pair of again) stock.release(pair)
  await clock.advanceAsync(60_000)
  assert.ok(network.bound < 2 * 1100)
})

test('closed, no socket is left but what is in use, and that goes when it is released', async () => {
  const { stock, network, clock } = build(20_000, 20_019)
  await stock.open()
  const [kept, resting] = [taken(stock, 20_000), taken(stock, 20_002)]
  stock.release(resting)
  stock.close()
  assert.equal(network.bound, 2)
  stock.release(kept)
  assert.equal(network.bound, 0)
  assert.equal(clock.pending, 0)
})
