import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom, type Random } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { DnsAnswer, DnsRecord, RecordType } from '#sip/location/dns.ts'
import { Locator } from '#sip/location/locator.ts'
import { inSrvOrder } from '#sip/location/srv-order.ts'
import type { LocationQuestion } from '#sip/transport/transport.ts'

const srv = (priority: number, weight: number, target: string, port = 5060): DnsRecord => ({ type: 'SRV', priority, weight, port, target })
const naptr = (order: number, preference: number, service: string, replacement: string): DnsRecord => ({
  ...{ type: 'NAPTR', order, preference, flags: 's', service, regexp: '', replacement },
})
const a = (address: string): DnsRecord => ({ type: 'A', address })
const aaaa = (address: string): DnsRecord => ({ type: 'AAAA', address })

/** A zone by `TYPE name`, name servers that may be dead, and a count of what they were asked. */
function world(zone: Record<string, DnsRecord[]>, ttl = 60) {
  const clock = new VirtualClock()
  const state = { alive: true, ttl, asked: [] as string[] }
  const dns = {
    ask: (name: string, type: RecordType): Promise<DnsAnswer> => {
      const key = `${type} ${name}`
      state.asked.push(key)
      if (!state.alive) return Promise.resolve({ kind: 'failed', why: 'silence' })
      const records = zone[key]
      return Promise.resolve(records === undefined ? { kind: 'none', ttl: state.ttl } : { kind: 'records', records, ttl: state.ttl })
    },
  }
  const locator = new Locator(clock, countingRandom(), dns)
  const locate = async (host: string, question: Partial<LocationQuestion> = {}): Promise<string[]> =>
    (await locator.resolve({ host, port: null, transport: null, ...question })).map(
      ({ transport, address, port, expects }) => `${transport} ${address} ${port}${expects === undefined ? '' : ` ${expects.name}`}`,
    )
  return { clock, zone, state, locator, locate }
}

const carrier = {
  'NAPTR carrier.example': [
    naptr(20, 10, 'SIP+D2U', '_sip._udp.carrier.example'),
    naptr(10, 20, 'SIP+D2T', '_sip._tcp.carrier.example'),
    naptr(10, 10, 'SIPS+D2T', '_sips._tcp.carrier.example'),
    naptr(1, 1, 'SIP+D2S', '_sip._sctp.carrier.example'),
    { type: 'NAPTR', order: 1, preference: 1, flags: 'u', service: 'E2U+sip', regexp: '!^.*$!sip:x@y!', replacement: '' } as const,
  ],
  'SRV _sips._tcp.carrier.example': [srv(0, 1, 'edge.provider.example', 5061)],
  'SRV _sip._tcp.carrier.example': [srv(0, 1, 'tcp.carrier.example')],
  'SRV _sip._udp.carrier.example': [srv(2, 1, 'late.carrier.example', 5080), srv(1, 1, 'first.carrier.example', 5070)],
  'A edge.provider.example': [a('192.0.2.61')],
  'A tcp.carrier.example': [a('192.0.2.2')],
  'A first.carrier.example': [a('192.0.2.3')],
  'AAAA first.carrier.example': [aaaa('2001:db8::3')],
  'A late.carrier.example': [a('192.0.2.4')],
  'A carrier.example': [a('192.0.2.9')],
}

test('NAPTR orders the transports we speak, SRV the hosts, and TLS expects the name that was asked about', async () => {
  const { locate } = world(carrier)
  const udp = ['udp 192.0.2.3 5070', 'udp 2001:db8::3 5070', 'udp 192.0.2.4 5080']
  assert.deepEqual(await locate('carrier.example'), ['tls 192.0.2.61 5061 carrier.example', 'tcp 192.0.2.2 5060', ...udp])
  assert.deepEqual(await locate('carrier.example', { transport: 'udp' }), udp)
  assert.deepEqual(await locate('carrier.example', { transport: 'tls' }), ['tls 192.0.2.61 5061 carrier.example'])
  assert.deepEqual(await locate('carrier.example', { secure: true }), ['tls 192.0.2.61 5061 carrier.example'])
})

test('a port or an address in the URI leaves nothing to look up but addresses', async () => {
  const { locate, state } = world(carrier)
  assert.deepEqual(await locate('carrier.example', { port: 5090 }), ['udp 192.0.2.9 5090'])
  assert.deepEqual(state.asked, ['A carrier.example', 'AAAA carrier.example'])
  assert.deepEqual(await locate('192.0.2.7'), ['udp 192.0.2.7 5060'])
  assert.deepEqual(await locate('2001:db8::7', { secure: true }), ['tls 2001:db8::7 5061 2001:db8::7'])
  assert.equal(state.asked.length, 2)
})

test('without NAPTR the SRV records that exist say the transport, without those it is UDP at 5060', async () => {
  const { locate } = world({
    'SRV _sip._tcp.small.example': [srv(0, 0, 'host.small.example')],
    'A host.small.example': [a('192.0.2.1')],
    'A plain.example': [a('192.0.2.5')],
    'SRV _sip._udp.closed.example': [srv(0, 0, '')],
    'A closed.example': [a('192.0.2.6')],
  })
  assert.deepEqual(await locate('small.example'), ['tcp 192.0.2.1 5060'])
  assert.deepEqual(await locate('plain.example'), ['udp 192.0.2.5 5060'])
  assert.deepEqual(await locate('plain.example', { transport: 'tls' }), ['tls 192.0.2.5 5061 plain.example'])
  assert.deepEqual(await locate('closed.example'), [])
  assert.deepEqual(await locate('nowhere.example'), [])
})

test('what failed is tried last for 30 s, and first again then', async () => {
  const { locate, locator, clock } = world({ 'A two.example': [a('192.0.2.1'), a('192.0.2.2')] })
  locator.failed({ transport: 'udp', address: '192.0.2.1', port: 5060 })
  assert.deepEqual(await locate('two.example'), ['udp 192.0.2.2 5060', 'udp 192.0.2.1 5060'])
  assert.deepEqual(await locate('two.example', { transport: 'tcp' }), ['tcp 192.0.2.1 5060', 'tcp 192.0.2.2 5060'])
  clock.advance(30_000)
  assert.deepEqual(await locate('two.example'), ['udp 192.0.2.1 5060', 'udp 192.0.2.2 5060'])
})

test('answers are used as long as their TTL says, at least 5 s and at most an hour', async () => {
  for (const [ttl, usedMs] of [
    [0, 5_000],
    [60, 60_000],
    [604_800, 3_600_000],
  ] as const) {
    const { locate, clock, state } = world({ 'A host.example': [a('192.0.2.1')] }, ttl)
    await locate('host.example', { port: 5060 })
    clock.advance(usedMs - 1)
    await locate('host.example', { port: 5060 })
    assert.equal(state.asked.filter((each) => each === 'A host.example').length, 1, String(ttl))
    clock.advance(1)
    await locate('host.example', { port: 5060 })
    assert.equal(state.asked.filter((each) => each === 'A host.example').length, 2, String(ttl))
  }
})

test('when the name servers die the last answer serves for an hour, and they are not asked more than every 5 s', async () => {
  const { locate, clock, state } = world({ 'A host.example': [a('192.0.2.1')] }, 60)
  const now = (): Promise<string[]> => locate('host.example', { port: 5060 })
  assert.deepEqual(await now(), ['udp 192.0.2.1 5060'])
  state.alive = false
  clock.advance(60_000)
  const before = state.asked.length
  for (let i = 0; i < 10; i++) assert.deepEqual(await now(), ['udp 192.0.2.1 5060'])
  assert.equal(state.asked.length - before, 2)
  clock.advance(3_599_000)
  assert.deepEqual(await now(), ['udp 192.0.2.1 5060'])
  clock.advance(2_000)
  assert.deepEqual(await now(), [])
  state.alive = true
  clock.advance(5_000)
  assert.deepEqual(await now(), ['udp 192.0.2.1 5060'])
})

test('many who ask at once make one question, and a huge answer does not make a huge list', async () => {
  const many = Array.from({ length: 60 }, (_, i) => srv(0, 1, `h${i}.big.example`))
  const zone = Object.fromEntries(many.map((_, i) => [`A h${i}.big.example`, Array.from({ length: 60 }, (__, n) => a(`10.0.${i}.${n}`))]))
  const { locate, state } = world({ 'SRV _sip._udp.big.example': many, ...zone })
  const [found] = await Promise.all(Array.from({ length: 50 }, () => locate('big.example', { transport: 'udp' })))
  assert.equal(found?.length, 32)
  assert.equal(state.asked.filter((each) => each === 'SRV _sip._udp.big.example').length, 1)
})

test('SRV draws by weight within a priority: 3 to 1 in the long run, weight 0 hardly ever first (RFC 2782)', () => {
  let seed = 12_345
  const random: Random = { hex: () => '', below: (limit) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % limit }
  const targets = [
    { name: 'big', priority: 1, weight: 75 },
    { name: 'small', priority: 1, weight: 25 },
    { name: 'none', priority: 1, weight: 0 },
    { name: 'later', priority: 2, weight: 100 },
  ]
  const first = { big: 0, small: 0, none: 0, later: 0 } as Record<string, number>
  for (let i = 0; i < 10_000; i++) {
    const order = inSrvOrder(targets, random).map(({ name }) => name)
    assert.equal(order.at(-1), 'later')
    first[order[0] ?? ''] = (first[order[0] ?? ''] ?? 0) + 1
  }
  const { big = 0, small = 0, none = 0 } = first
  assert.ok(big > 7_000 && big < 8_000 && small > 2_000 && small < 3_000 && none < 250, JSON.stringify(first))
})
