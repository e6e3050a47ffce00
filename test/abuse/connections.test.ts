import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Crowd } from '#test/abuse/crowd.ts'
import { flood, lasting, stranger } from '#test/abuse/flood.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import { closed } from '#test/support/closed.ts'
import { until } from '#test/support/sounds.ts'

/** As many as there are places. */
const places = 10_000
/** Of so many connections and handshakes at once, which the system's allocator keeps: they have been, and do not add up. */
const memoryOfPlaces = 400_000_000
const nobody = { says: '', drips: '', dripMs: 1_000 }

describe('thousands of connections keep nobody out', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end(memoryOfPlaces))

  const to = (port: number): { address: string; port: number } => ({ address: '127.0.0.1', port })

  /** A stranger comes and asks; resolves with what he is answered. */
  async function asks(socket: Socket): Promise<string> {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('\r\n\r\n')) socket.end()
    })
    socket.write(
      stranger('OPTIONS', '127.9.0.1')
        .replace('SIP/2.0/UDP', 'SIP/2.0/TCP')
        .replaceAll('{n}', `${Math.trunc(performance.now())}`),
    )
    await closed(socket)
    return text
  }

  test('over TCP, that say nothing: the next to come is let in, and answered', async () => {
    await siege.beside(async () => {
      await using crowd = await Crowd.of({ ...nobody, to: siege.target, network: 30, addresses: 20, each: places / 20 })
      assert.ok(crowd.tally.made > places * 0.99, JSON.stringify(crowd.tally))
      await using late = await Crowd.of({ ...nobody, to: siege.target, network: 31, addresses: 4, each: 500 })
      assert.ok(late.tally.made > 1_990, JSON.stringify(late.tally))
      assert.match(await asks(connect({ ...siege.target, host: siege.target.address, localAddress: '127.9.0.1' })), /^SIP\/2\.0 401 /)
      const { connections } = await siege.figures()
      assert.ok(connections <= places + 5, String(connections))
      await until('those who came first have made room', async () => (await crowd.now()).refused > 1_000)
    })
  })

  test('over TCP, that were challenged once: the next to come is let in all the same', async () => {
    await siege.beside(async () => {
      const says = stranger('OPTIONS', '127.32.0.1').replace('SIP/2.0/UDP', 'SIP/2.0/TCP')
      await using crowd = await Crowd.of({ ...nobody, says, to: siege.target, network: 32, addresses: 40, each: places / 40 })
      assert.ok(crowd.tally.made > places * 0.9, JSON.stringify(crowd.tally))
      assert.match(await asks(connect({ ...siege.target, host: siege.target.address, localAddress: '127.9.0.2' })), /^SIP\/2\.0 401 /)
    })
  })

  test('over TLS, that never finish their handshake: the next to come does', async () => {
    const { port } = siege.system.settings.sip.tls
    await siege.beside(async () => {
      await using crowd = await Crowd.of({ ...nobody, to: to(port), network: 33, addresses: 25, each: places / 25 })
      assert.ok(crowd.tally.made > places * 0.9, JSON.stringify(crowd.tally))
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
      socket.on('error', () => undefined)
      await once(socket, 'secureConnect')
      assert.match(await asks(socket), /^SIP\/2\.0 401 /)
    })
  })

  test('that drip their message byte by byte are closed after ten seconds', async () => {
    await siege.beside(async () => {
      const drips = stranger('OPTIONS', '127.34.0.1', '2000@survival.example', `X-Long: ${'x'.repeat(10_000)}\r\n`)
      await using crowd = await Crowd.of({ ...nobody, drips, dripMs: 100, to: siege.target, network: 34, addresses: 4, each: 50 })
      const startedAt = performance.now()
      await until('all are closed', async () => (await crowd.now()).refused >= crowd.tally.made, 60_000)
      assert.ok(performance.now() - startedAt > 5_000)
    })
  })

  for (const transport of ['tls', 'wss'] as const) {
    test(`a flood over ${transport.toUpperCase()} is banned, and its connections are closed`, async () => {
      const { tls } = siege.system.settings.sip
      const from = transport === 'tls' ? '127.0.0.82' : '127.0.0.83'
      const messages = ['REGISTER', 'INVITE', 'SUBSCRIBE', 'OPTIONS'].map((method) =>
        stranger(method, from).replace('/UDP', `/${transport.toUpperCase()}`),
      )
      const port = transport === 'tls' ? tls.port : tls.wssPort
      await siege.beside(async () => {
        const tally = await flood({ transport, from, fromPort: 0, to: to(port), messages, perSecond: 1_000, seconds: lasting(2) })
        const { bans } = (await siege.api.ask('GET', '/v1/bans')) as { bans: BanSeen[] }
        assert.equal(bans.find(({ who }) => who === from)?.kind, 'source', JSON.stringify(tally))
        assert.ok(tally.statuses['401'] !== undefined && tally.statuses['401'] < 500 * lasting(2), JSON.stringify(tally))
      })
    })
  }
})
