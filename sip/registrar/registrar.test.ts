import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TimerWheel } from '#base/timer-wheel.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Flow } from '#sip/agent.ts'
import { parseSipUri } from '#sip/message/uri.ts'
import { contactKey } from '#sip/registrar/contact-key.ts'
import { type ContactWish, Registrar, type RegistrarSettings, type RegisterWish } from '#sip/registrar/registrar.ts'

const udp: Flow = {
  transport: 'udp',
  local: { address: '10.0.0.1', port: 5060 },
  remote: { address: '10.0.0.7', port: 5060 },
  connection: null,
}
const tcp = (connection: number): Flow => ({ ...udp, transport: 'tcp', connection })

function office(settings: RegistrarSettings = {}) {
  const clock = new VirtualClock(1_000_000)
  const wheel = new TimerWheel(clock)
  const told: string[] = []
  const registrar = new Registrar(
    { now: () => clock.now(), wall: () => clock.wall(), after: (ms, task) => wheel.after(ms, task) },
    {
      onBound: (binding, refreshed) => void told.push(`${refreshed ? 'refreshed' : 'bound'} ${binding.contact}`),
      onUnbound: (binding, why) => void told.push(`${why} ${binding.contact}`),
    },
    settings,
  )
  return { clock, wheel, registrar, told }
}

function contact(uri: string, parts: Partial<ContactWish> = {}): ContactWish {
  const parsed = parseSipUri(uri)
  assert.ok(parsed !== undefined)
  return { uri, key: contactKey(parsed), q: 1, expires: 600, instance: null, regId: null, outbound: false, ...parts }
}

let calls = 0
function wish(contacts: RegisterWish['contacts'], parts: Partial<RegisterWish> = {}): RegisterWish {
  return { aor: '201@acme.example', contacts, callId: `c${++calls}`, cseq: 1, flow: udp, path: [], userAgent: null, ...parts }
}

test('several contacts of one address are told with the preferred first', () => {
  const { registrar } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1', { q: 0.5 }), contact('sip:b@10.0.0.2')]))
  const outcome = registrar.register(wish([contact('sip:c@10.0.0.3', { expires: 3000 })]))
  assert.ok(outcome.kind === 'done' && outcome.bindings.length === 3)
  assert.deepEqual(
    registrar.contactsOf('201@acme.example').map((b) => b.contact),
    ['sip:c@10.0.0.3', 'sip:b@10.0.0.2', 'sip:a@10.0.0.1'],
  )
})

test('a binding ends when its time is over, not before, and a refresh moves that time without a new timer', () => {
  const { clock, wheel, registrar, told } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1')], { callId: 'x' }))
  clock.advance(500_000)
  registrar.register(wish([contact('sip:a@10.0.0.1')], { callId: 'x', cseq: 2 }))
  assert.equal(wheel.size, 1)
  clock.advance(599_000)
  assert.equal(registrar.size, 1)
  clock.advance(1_100)
  assert.equal(registrar.size, 0)
  assert.deepEqual(told, ['bound sip:a@10.0.0.1', 'refreshed sip:a@10.0.0.1', 'expired sip:a@10.0.0.1'])
  assert.equal(wheel.size, 0)
})

test('a shorter refresh ends sooner', () => {
  const { clock, registrar } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1', { expires: 3600 })]))
  registrar.register(wish([contact('sip:a@10.0.0.1', { expires: 60 })]))
  clock.advance(60_100)
  assert.equal(registrar.size, 0)
})

test('too short a life is refused with the least, too long a one shortened, none named gets the default', () => {
  const { registrar, clock } = office({ minExpires: 120, maxExpires: 1800, defaultExpires: 900 })
  assert.deepEqual(registrar.register(wish([contact('sip:a@10.0.0.1', { expires: 119 })])), { kind: 'too-brief', minExpires: 120 })
  registrar.register(wish([contact('sip:b@10.0.0.1', { expires: 7200 }), contact('sip:c@10.0.0.1', { expires: null })]))
  assert.deepEqual(
    registrar.bindingsOf('201@acme.example').map((b) => (b.expiresAt - clock.now()) / 1000),
    [1800, 900],
  )
})

test('Expires 0 takes one contact away, * all of them', () => {
  const { registrar, told } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1'), contact('sip:b@10.0.0.2'), contact('sip:c@10.0.0.3')]))
  registrar.register(wish([contact('sip:b@10.0.0.2', { expires: 0 })]))
  registrar.register(wish('all'))
  assert.equal(registrar.size, 0)
  assert.deepEqual(told.slice(3), ['unregistered sip:b@10.0.0.2', 'unregistered sip:a@10.0.0.1', 'unregistered sip:c@10.0.0.3'])
})

test('an older request of the same Call-ID changes nothing, not even its other contacts (RFC 3261 §10.3)', () => {
  const { registrar, told } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1')], { callId: 'x', cseq: 5 }))
  const late = wish([contact('sip:new@10.0.0.9'), contact('sip:a@10.0.0.1', { expires: 0 })], { callId: 'x', cseq: 5 })
  assert.deepEqual(registrar.register(late), { kind: 'out-of-order' })
  assert.deepEqual(registrar.register(wish('all', { callId: 'x', cseq: 4 })), { kind: 'out-of-order' })
  assert.deepEqual(told, ['bound sip:a@10.0.0.1'])
})

test('a device that comes back under another contact replaces its old one', () => {
  const { registrar, told } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1:40000', { instance: '<urn:uuid:1>' })]))
  registrar.register(wish([contact('sip:a@10.0.0.1:40001', { instance: '<urn:uuid:1>' })]))
  assert.deepEqual(told.slice(1), ['displaced sip:a@10.0.0.1:40000', 'bound sip:a@10.0.0.1:40001'])
})

test('past the cap the contact refreshed longest ago gives way; one request may not ask for more', () => {
  const { registrar, clock, told } = office({ maxContacts: 2 })
  for (const host of [1, 2, 3]) {
    registrar.register(wish([contact(`sip:a@10.0.0.${host}`)]))
    clock.advance(1_000)
  }
  assert.deepEqual(told.slice(2), ['displaced sip:a@10.0.0.1', 'bound sip:a@10.0.0.3'])
  assert.deepEqual(registrar.register(wish([1, 2, 3].map((n) => contact(`sip:b@10.0.0.${n}`)))), { kind: 'too-many' })
})

test('a closed connection unbinds what was registered over it and nothing else', () => {
  const { registrar, told } = office()
  registrar.register(wish([contact('sip:a@10.0.0.1')], { flow: tcp(1) }))
  registrar.register(wish([contact('sip:b@10.0.0.1')], { flow: tcp(2) }))
  registrar.register(wish([contact('sip:c@10.0.0.1')], { flow: tcp(1), callId: 'c' }))
  registrar.register(wish([contact('sip:c@10.0.0.1')], { flow: tcp(2), callId: 'c', cseq: 2 }))
  registrar.connectionClosed(1)
  assert.deepEqual(
    registrar
      .contactsOf('201@acme.example')
      .map((b) => b.contact)
      .sort(),
    ['sip:b@10.0.0.1', 'sip:c@10.0.0.1'],
  )
  assert.ok(told.includes('connection-lost sip:a@10.0.0.1'))
})

test('bindings outlive the process: UDP works at once, TCP waits for the device, what expired meanwhile is told', () => {
  const before = office()
  before.registrar.register(wish([contact('sip:udp@10.0.0.1')], { callId: 'u', cseq: 9 }))
  before.registrar.register(wish([contact('sip:tcp@10.0.0.1')], { flow: tcp(1), callId: 't' }))
  before.registrar.register(wish([contact('sip:brief@10.0.0.1', { expires: 60 })]))
  const kept = structuredClone(before.registrar.keep())
  const { clock, registrar, told } = office()
  clock.advance(100_000)
  registrar.adopt(kept)
  assert.deepEqual(told, ['expired sip:brief@10.0.0.1'])
  assert.deepEqual(
    registrar.contactsOf('201@acme.example').map((b) => b.contact),
    ['sip:udp@10.0.0.1'],
  )
  assert.equal(registrar.register(wish([contact('sip:udp@10.0.0.1')], { callId: 'u', cseq: 9 })).kind, 'out-of-order')
  registrar.register(wish([contact('sip:tcp@10.0.0.1')], { flow: tcp(7), callId: 't', cseq: 2 }))
  assert.equal(registrar.contactsOf('201@acme.example').length, 2)
  clock.advance(500_000)
  assert.deepEqual(
    registrar.contactsOf('201@acme.example').map((b) => b.contact),
    ['sip:tcp@10.0.0.1'],
  )
})

test('whatever is asked in whatever order, size, timers and lists agree, and time ends everything', () => {
  const ask = fc.record({
    user: fc.integer({ min: 0, max: 2 }),
    host: fc.integer({ min: 1, max: 4 }),
    expires: fc.constantFrom(0, 30, 60, 600),
    connection: fc.constantFrom(null, 1, 2),
    wait: fc.integer({ min: 0, max: 200_000 }),
    closes: fc.constantFrom(null, null, 1, 2),
    wipe: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 40 }), (asks) => {
      const { clock, wheel, registrar } = office({ maxContacts: 3 })
      for (const { user, host, expires, connection, wait, closes, wipe } of asks) {
        const flow = connection === null ? udp : tcp(connection)
        const contacts = wipe && expires === 0 ? 'all' : [contact(`sip:p@10.0.0.${host}`, { expires })]
        registrar.register(wish(contacts, { aor: `${user}@acme.example`, flow }))
        if (closes !== null) registrar.connectionClosed(closes)
        clock.advance(wait)
        const all = [...registrar.all()]
        assert.equal(all.length, registrar.size)
        assert.equal(wheel.size, registrar.size)
        assert.ok(all.every((b) => b.expiresAt > clock.now() - 20 && registrar.bindingsOf(b.aor).length <= 3))
      }
      clock.advance(700_000)
      assert.deepEqual([registrar.size, wheel.size], [0, 0])
    }),
    { numRuns: 200 },
  )
})
