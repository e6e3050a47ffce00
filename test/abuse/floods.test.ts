import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { flood, type FloodSpec, type FloodTally, lasting, stranger } from '#test/abuse/flood.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import { closed } from '#test/support/closed.ts'
import { claimPort } from '#test/support/ports.ts'
import { authorization, header, Wire } from '#test/support/wire.ts'
import { calls, domain, password } from '#test/survival/company.ts'

const methods = ['REGISTER', 'INVITE', 'SUBSCRIBE', 'OPTIONS', 'NOTIFY', 'MESSAGE', 'PUBLISH']
/** Requests outside dialogs that one account may make, and as many at once. */
const sharePerSecond = 50
/** Of some hundred subscriptions, all of which are told of each call, and of as many requests refused to a phone. */
const memoryOfSubscriptions = 80_000_000

describe('a flood harms nobody: fifty calls go on beside it, new ones succeed', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end())

  const bans = async (): Promise<BanSeen[]> => ((await siege.api.ask('GET', '/v1/bans')) as { bans: BanSeen[] }).bans
  const banOf = async (who: string): Promise<BanSeen | undefined> => (await bans()).find((each) => each.who === who)

  /** On a busy machine a flood may be no flood: it goes on until its source is banned, and so many messages are dropped. */
  async function floodUntilBanned(spec: FloodSpec, dropped = 0): Promise<FloodTally> {
    let tally = await flood(spec)
    const isEnough = async (): Promise<boolean> => ((await banOf(spec.from))?.dropped ?? -1) >= dropped
    for (let more = 0; more < 10 && spec.to.port === siege.target.port && !(await isEnough()); more++) tally = await flood(spec)
    return tally
  }

  test('of any method over UDP: its source is banned with a reason, and gets less back than it sent', async () => {
    const before = await siege.figures()
    await siege.during(async (port) => {
      for (const [i, method] of methods.entries()) {
        const from = `127.0.0.${60 + i}`
        const messages = [stranger(method, from)]
        const to = { ...siege.target, port }
        const tally = await floodUntilBanned(
          { transport: 'udp', from, fromPort: 0, to, messages, perSecond: 3_000, seconds: lasting(0.4 * methods.length) / methods.length },
          500,
        )
        if (port !== siege.target.port) continue
        const ban = await banOf(from)
        assert.match(ban?.reason ?? 'none', /requests/, method)
        assert.ok((ban?.dropped ?? 0) >= 500, `${method}: ${JSON.stringify(ban)}`)
        assert.ok(tally.receivedBytes < tally.sentBytes, `${method}: ${tally.receivedBytes} of ${tally.sentBytes}`)
        assert.ok((tally.statuses['200'] ?? 0) === 0, JSON.stringify(tally.statuses))
      }
    })
    await siege.until('transactions end', ({ transactions }) => transactions < before.transactions + 200)
  })

  test('over TCP: connections of who is banned are closed, and not taken', async () => {
    await siege.during(async (port) => {
      const from = '127.0.0.80'
      const messages = methods.map((method) => stranger(method, from))
      await floodUntilBanned({
        transport: 'tcp',
        from,
        fromPort: 0,
        to: { ...siege.target, port },
        messages,
        perSecond: 2_000,
        seconds: lasting(2),
      })
      if (port !== siege.target.port) return
      assert.equal((await banOf(from))?.kind, 'source')
      const late = connect({ host: siege.target.address, port, localAddress: from })
      // A double line break is answered to whoever is let in.
      late.end('\r\n\r\n')
      const answered: Buffer[] = []
      late.on('data', (bytes: Buffer) => answered.push(bytes))
      await closed(late)
      assert.deepEqual(answered, [])
    })
  })

  test('of garbage: banned, too', async () => {
    await siege.during(async (port) => {
      const from = '127.0.0.81'
      const messages = [
        '\0\x01\x02{n}\r\n\r\n',
        'INVITE sip:x SIP/2.0\r\nVia: {n}\r\n\r\n',
        'x'.repeat(1_000),
        `${stranger('OPTIONS', from)}`.replace('CSeq: 1', 'CSeq: x'),
      ]
      await floodUntilBanned({
        transport: 'udp',
        from,
        fromPort: 0,
        to: { ...siege.target, port },
        messages,
        perSecond: 2_000,
        seconds: lasting(2),
      })
      if (port === siege.target.port) assert.match((await banOf(from))?.reason ?? 'none', /cannot be understood/)
    })
  })

  test('from the address of an office: only the port that floods is set aside, its phones go on', async () => {
    await siege.during(async (port) => {
      const messages = methods.map((method) => stranger(method, '127.0.0.1'))
      const tally = await flood({
        transport: 'udp',
        from: '127.0.0.1',
        fromPort: 0,
        to: { ...siege.target, port },
        messages,
        perSecond: 3_000,
        seconds: lasting(2),
      })
      if (port !== siege.target.port) return
      assert.equal(await banOf('127.0.0.1'), undefined)
      assert.ok(tally.received < 1_000 * lasting(2), `${tally.received} answers`)
    })
  })

  test('of subscriptions from a phone of the company to one that is called all the while: it gets its share', async () => {
    const [from, fromPort] = ['127.0.0.88', await claimPort()]
    await siege.beside(async () => {
      const line = { transport: 'udp' as const, from, fromPort, to: siege.target }
      const messages = await subscriptions(from, fromPort, 4_000)
      const startedAt = performance.now()
      const { statuses } = await flood({ ...line, messages, perSecond: 1_000, seconds: 4, answers: '200 OK' })
      const [taken, refused, news] = ['200', '503', 'NOTIFY'].map((status) => statuses[status] ?? 0)
      const most = sharePerSecond * (1 + (performance.now() - startedAt) / 1000)
      assert.ok(taken !== undefined && refused !== undefined && news !== undefined)
      assert.ok(taken >= sharePerSecond && taken <= most && refused > taken && news > taken, JSON.stringify(statuses))
      // It forgets them all: what it is told of the next calls ends them.
      await flood({ ...line, messages: [], perSecond: 0, seconds: 2, answers: '481 Subscription Does Not Exist' })
    }, memoryOfSubscriptions)
  })

  /** By one account, with right credentials, each to be sent once, to who is called beside each attack. */
  async function subscriptions(from: string, port: number, count: number): Promise<string[]> {
    const [user, called] = ['1001', `${2000 + calls}@${domain}`]
    const subscribe = (more: string): string =>
      stranger('SUBSCRIBE', from, called, more).replace('<sip:100@', `<sip:${user}@`).replace(`<sip:x@${from}>`, `<sip:x@${from}:${port}>`)
    await using wire = await Wire.open(siege.target, from)
    wire.send(subscribe('').replaceAll('{n}', 'first'))
    const challenge = header(await wire.next('challenge', ({ status }) => status === 401), 'www-authenticate')
    const as = { user, password, method: 'SUBSCRIBE', uri: `sip:${called}` }
    return Array.from({ length: count }, (_, i) =>
      subscribe(`Expires: 3600\r\nAuthorization: ${authorization(challenge, as, { nc: i + 1 })}\r\n`),
    )
  }

  test('one request ends a ban, and who is let in is answered', async () => {
    const from = '127.0.0.90'
    const options = { transport: 'udp' as const, from, fromPort: 0, to: siege.target, messages: [stranger('OPTIONS', from)] }
    await floodUntilBanned({ ...options, perSecond: 2_000, seconds: 0.5 })
    const ban = await banOf(from)
    assert.ok(ban !== undefined)
    const ask = () => flood({ ...options, perSecond: 1, seconds: 1 })
    assert.equal((await ask()).received, 0)
    await siege.api.ask('DELETE', `/v1/bans/${ban.id}`)
    assert.equal(await banOf(from), undefined)
    assert.equal((await ask()).statuses['401'], 1)
  })
})
