import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { NewFact } from '#contract/facts.ts'
import type { Trunk } from '#contract/documents/trunk.ts'
import { compileTrunk } from '#server/config/compile-trunk.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'
import { TrunkBoard } from '#server/trunks/trunk-board.ts'
import type { RequestSpec, Unanswered } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { parseMessage } from '#sip/message/parse.ts'

type Answer = SipResponse | Unanswered

const silence: Unanswered = { kind: 'unanswered', why: 'timeout', detail: 'no final answer in time' }

function answer(status: string, ...headers: string[]): SipResponse {
  const text = [
    `SIP/2.0 ${status}`,
    'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
    'From: <sip:a@b>;tag=1',
    'To: <sip:a@b>;tag=2',
    'Call-ID: c',
    'CSeq: 1 REGISTER',
  ]
  const parsed = parseMessage(Buffer.from([...text, ...headers, 'Content-Length: 0', '', ''].join('\r\n')))
  if (parsed.kind !== 'response') throw new Error('a response was expected')
  return parsed
}

const addresses: Readonly<Record<string, string>> = { 'carrier.example': '192.0.2.1', 'media.example': '198.51.100.4' }

/** A board, and a carrier that answers each method as told. */
function carrier(answers: { OPTIONS?: () => Answer; REGISTER?: () => Answer }, shared: string[] = []) {
  const clock = new VirtualClock()
  const asked: RequestSpec[] = []
  /** Hosts whose look-up does not end yet. */
  const slow = new Map<string, Promise<void>>()
  const facts: NewFact[] = []
  const board = new TrunkBoard({
    clock,
    log: silentLog,
    random: countingRandom(),
    sip: {
      request: (spec) => {
        asked.push(spec)
        return Promise.resolve(answers[spec.method as 'OPTIONS' | 'REGISTER']?.() ?? silence)
      },
    },
    locator: {
      resolve: async ({ host, port, transport }) => {
        await slow.get(host)
        return [{ transport: transport ?? 'udp', address: addresses[host] ?? host, port: port ?? 5060 }]
      },
    },
    shared: new SharedSources(shared),
    tell: (fact) => facts.push(fact),
    ourHost: () => '192.0.2.99:5060',
  })
  const configure = (...trunks: CompiledTrunk[]): void => board.configure('acme', trunks, () => 'secret')
  return { clock, asked, facts, slow, board, configure }
}

function trunk(more: Partial<Trunk> = {}): CompiledTrunk {
  return compileTrunk({ kind: 'trunk', id: 'main', host: 'carrier.example', ...more }, '+74950000100', new Set(['+74950000100']))
}

const registering = { register: true, username: '4950000100', authUser: 'acme-auth', registerSeconds: 100, healthSeconds: 0 }

test('a registering trunk registers its user at the resolved address with the auth user, and refreshes in time', async () => {
  const at = carrier({ REGISTER: () => answer('200 OK', 'Contact: <sip:4950000100@192.0.2.99>;expires=100') })
  at.configure(trunk(registering))
  await at.clock.advanceAsync(0)
  const first = at.asked[0]
  assert.equal(first?.method, 'REGISTER')
  assert.equal(first?.uri, 'sip:carrier.example')
  assert.equal(first?.to, '<sip:4950000100@carrier.example>')
  assert.equal(first?.contactUser, '4950000100')
  assert.deepEqual(first?.via, { transport: 'udp', address: '192.0.2.1', port: 5060 })
  assert.deepEqual(first?.credentials, { user: 'acme-auth', password: 'secret' })
  assert.equal(at.board.link('acme', 'main')?.registered, true)
  await at.clock.advanceAsync(100_000)
  assert.ok(at.asked.length >= 2)
  assert.equal(at.asked[1]?.callId, first?.callId)
  assert.ok((at.asked[1]?.cseq ?? 0) > (first?.cseq ?? 0))
  assert.deepEqual(at.facts, [])
})

test('a registrar that dies and comes back is one fact down and one up, whatever number of attempts', async () => {
  let alive = true
  const at = carrier({ REGISTER: () => (alive ? answer('200 OK') : silence) })
  at.configure(trunk(registering))
  await at.clock.advanceAsync(1_000)
  alive = false
  await at.clock.advanceAsync(300_000)
  assert.equal(at.board.link('acme', 'main')?.registered, false)
  assert.deepEqual(
    at.facts.map((fact) => [fact.kind, 'why' in fact ? fact.why : '']),
    [['trunk.went-down', 'not registered: no final answer in time']],
  )
  alive = true
  await at.clock.advanceAsync(60_000)
  assert.equal(at.board.link('acme', 'main')?.registered, true)
  assert.deepEqual(
    at.facts.map((fact) => fact.kind),
    ['trunk.went-down', 'trunk.went-up'],
  )
})

test('a silent trunk is down within the probe, takes only emergency calls, and recovers alone', async () => {
  let alive = false
  const at = carrier({ OPTIONS: () => (alive ? answer('404 Not Found') : silence) })
  at.configure(trunk())
  await at.clock.advanceAsync(0)
  const link = at.board.link('acme', 'main')
  assert.equal(link?.blocked()?.why, 'down')
  assert.equal(link?.blocked(true), null)
  alive = true
  await at.clock.advanceAsync(10_000)
  assert.equal(link?.blocked(), null)
  assert.deepEqual(
    at.facts.map((fact) => fact.kind),
    ['trunk.went-down', 'trunk.went-up'],
  )
})

test('a registrar that was away has us again before the trunk is called up', async () => {
  let alive = true
  const at = carrier({ OPTIONS: () => (alive ? answer('200 OK') : silence), REGISTER: () => (alive ? answer('200 OK') : silence) })
  at.configure(trunk({ ...registering, registerSeconds: 3600, healthSeconds: 10 }))
  await at.clock.advanceAsync(1_000)
  assert.equal(at.asked.filter((spec) => spec.method === 'REGISTER').length, 1)
  alive = false
  await at.clock.advanceAsync(20_000)
  assert.equal(at.board.link('acme', 'main')?.state, 'down')
  alive = true
  await at.clock.advanceAsync(10_000)
  assert.equal(at.asked.filter((spec) => spec.method === 'REGISTER').length, 2)
  assert.equal(at.board.link('acme', 'main')?.registered, true)
  assert.deepEqual(
    at.facts.map((fact) => fact.kind),
    ['trunk.went-down', 'trunk.went-up'],
  )
})

test('a trunk whose channels are taken is full, except for emergency calls, also after its configuration changed', async () => {
  const at = carrier({ OPTIONS: () => answer('200 OK') })
  at.configure(trunk({ channels: 1 }))
  await at.clock.advanceAsync(0)
  const call = at.board.link('acme', 'main')?.take()
  assert.equal(at.board.link('acme', 'main')?.blocked()?.why, 'full')
  at.configure(trunk({ channels: 1, name: 'Renamed' }))
  const link = at.board.link('acme', 'main')
  assert.equal(link?.blocked()?.why, 'full')
  assert.equal(link?.blocked(true), null)
  call?.[Symbol.dispose]()
  assert.equal(link?.blocked(), null)
  await at.clock.advanceAsync(0)
})

test('a changed trunk registers anew only after its old registration has ended', async () => {
  const at = carrier({ REGISTER: () => answer('200 OK') })
  at.configure(trunk(registering))
  await at.clock.advanceAsync(0)
  at.configure(trunk({ ...registering, name: 'Renamed' }))
  await at.clock.advanceAsync(0)
  assert.deepEqual(
    at.asked.map((spec) => new Map(spec.headers).get('Expires')),
    ['100', '0', '100'],
  )
  await at.board.close()
  assert.equal(new Map(at.asked.at(-1)?.headers).get('Expires'), '0')
  assert.equal(at.clock.pending, 0)
})

test('calls come from the trunk of their address and port, from its networks, and from nobody else', async () => {
  const at = carrier({ OPTIONS: () => answer('200 OK') })
  at.configure(
    trunk({ host: '192.0.2.1' }),
    trunk({ id: 'second', host: '192.0.2.1', port: 5080 }),
    trunk({ id: 'net', host: '198.51.100.1', addresses: ['198.51.100.0/24'] }),
  )
  const from = (address: string, port = 5060): string[] => at.board.from(address, port).map((link) => link.id)
  await at.clock.advanceAsync(0)
  assert.deepEqual(from('192.0.2.1'), ['main'])
  assert.deepEqual(from('192.0.2.1', 5080), ['second'])
  assert.deepEqual(from('192.0.2.1', 9999), ['main', 'second'])
  assert.deepEqual(from('198.51.100.77'), ['net'])
  assert.deepEqual(from('198.51.100.77'), ['net'])
  assert.deepEqual(from('203.0.113.1'), [])
  at.configure(trunk({ host: '192.0.2.1' }), trunk({ id: 'other', host: '198.51.100.1', addresses: ['203.0.113.0/24'] }))
  assert.deepEqual(from('198.51.100.77'), [])
  assert.deepEqual(from('203.0.113.1'), ['other'])
})

test('a name that leads to what another company lists by address brings its calls only where the operator shares them', async () => {
  for (const [shared, whose] of [
    [[], ['beta']],
    [['192.0.2.0/24'], ['acme', 'beta']],
  ] as const) {
    const at = carrier({ OPTIONS: () => answer('200 OK') }, [...shared])
    at.configure(trunk())
    await at.clock.advanceAsync(0)
    at.board.configure('beta', [trunk({ host: '192.0.2.1', port: 5090 })], () => null)
    await at.clock.advanceAsync(0)
    assert.deepEqual(at.board.foundOfOthers('beta'), ['192.0.2.1'])
    const tenants = at.board.from('192.0.2.1', 9999).map((link) => link.tenant)
    assert.deepEqual(tenants.toSorted(), whose)
    await at.board.close()
  }
})

test('a trunk that must answer OPTIONS with 2xx is down while it answers anything else', async () => {
  let status = '404 Not Found'
  const at = carrier({ OPTIONS: () => answer(status) })
  at.configure(trunk({ healthAnswer: '2xx' }))
  await at.clock.advanceAsync(0)
  assert.equal(at.board.link('acme', 'main')?.state, 'down')
  status = '200 OK'
  await at.clock.advanceAsync(10_000)
  assert.equal(at.board.link('acme', 'main')?.state, 'up')
})

test('an address behind a name counts once the name is looked up, also when it was asked for before and the trunk itself is not found yet', async () => {
  const at = carrier({})
  const found = Promise.withResolvers<void>()
  at.slow.set('carrier.example', found.promise)
  at.configure(trunk({ addresses: ['media.example'] }))
  const from = (): string[] => at.board.from('198.51.100.4', 5060).map(({ id }) => id)
  assert.deepEqual(from(), [])
  await at.clock.advanceAsync(0)
  assert.deepEqual(from(), ['main'])
  found.resolve()
  await at.clock.advanceAsync(0)
  assert.deepEqual(from(), ['main'])
})
