import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { challengeFor, MemoryTown } from '#sip/agent/memory-town.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import { isTranslated, KeepAlive } from '#sip/registrar/keep-alive.ts'
import { Registration, type RegistrationDown } from '#sip/registrar/registration.ts'

/** We and a carrier that knows us. */
async function carrierAndUs(limits = {}, serviceRoute: readonly string[] = []) {
  const town = new MemoryTown()
  const us = await town.move('10.0.0.1')
  const carrier = await town.move('10.0.0.2', { limits, serviceRoute })
  carrier.identify = () => challengeFor('acme', 'secret', '10.0.0.2')
  const ups: number[] = []
  const downs: RegistrationDown[] = []
  const registration = new Registration(
    { clock: town.clock, random: countingRandom(), agent: us.agent },
    { registrar: 'sip:10.0.0.2', aor: '<sip:acme@10.0.0.2>', contactUser: 't1', credentials: { user: 'acme', password: 'secret' } },
    { onUp: (expires) => void ups.push(expires), onDown: (down) => void downs.push(down) },
  )
  return { town, us, carrier, registration, ups, downs }
}

test('registers through a challenge, refreshes between half and four fifths of its life, and unregisters when stopped', async () => {
  const { town, carrier, registration, ups, downs } = await carrierAndUs()
  registration.start()
  await town.pass(1_000)
  assert.deepEqual(ups, [600])
  assert.deepEqual(
    carrier.registrar.contactsOf('acme@10.0.0.2').map((b) => b.contact),
    ['sip:t1@10.0.0.1:5060'],
  )
  await town.pass(295_000)
  assert.equal(carrier.bound.length, 1)
  await town.pass(190_000)
  assert.equal(carrier.bound.length, 2)
  await town.pass(7_200_000)
  assert.equal(carrier.registrar.size, 1)
  const stopped = registration.stop()
  await town.pass(1_000)
  await stopped
  assert.equal(carrier.registrar.size, 0)
  assert.deepEqual([ups.length, downs], [1, []])
})

test('the way that the registrar wants requests to take is known while we are registered; one that cannot be taken is not (RFC 3608)', async () => {
  for (const [given, taken] of [
    [
      ['<sip:orig@10.0.0.2;lr>', '"S" <sip:s.carrier.example;lr;x=1>;y=2'],
      ['<sip:orig@10.0.0.2;lr>', '<sip:s.carrier.example;lr;x=1>'],
    ],
    [['<sip:orig@10.0.0.2;lr>', '<sip:strict.example>'], []],
    [['<sip:orig@10.0.0.2;lr>', '<tel:+1>'], []],
    [Array(9).fill('<sip:a;lr>'), []],
    [[], []],
  ] as const) {
    const { town, registration } = await carrierAndUs({}, given)
    assert.deepEqual(registration.serviceRoute, [])
    registration.start()
    await town.pass(1_000)
    assert.deepEqual(registration.serviceRoute, taken)
    registration.startOver()
    assert.deepEqual(registration.serviceRoute, [])
    void registration.stop()
  }
})

test('a registrar that wants a longer life gets it at once (423)', async () => {
  const { town, registration, ups } = await carrierAndUs({ minExpires: 900, maxExpires: 3600 })
  registration.start()
  await town.pass(1_000)
  assert.deepEqual(ups, [900])
  void registration.stop()
})

test('wrong credentials: down with the reason, and patient', async () => {
  const { town, carrier, registration, downs } = await carrierAndUs()
  carrier.identify = () => challengeFor('acme', 'changed', '10.0.0.2')
  registration.start()
  await town.pass(20_000)
  assert.deepEqual(
    downs.map(({ why, status }) => [why, status]),
    [['refused', 401]],
  )
  assert.ok((downs[0]?.retryIn ?? 0) >= 30_000)
  carrier.identify = () => challengeFor('acme', 'secret', '10.0.0.2')
  await town.pass(60_000)
  assert.ok(registration.isUp)
  void registration.stop()
})

test('a silent registrar is asked again after growing pauses; the registration survives its restart', async () => {
  const { town, carrier, registration, ups, downs } = await carrierAndUs()
  registration.start()
  await town.pass(1_000)
  await carrier.agent.close()
  await town.pass(900_000)
  assert.ok(downs.length > 5 && downs.every(({ why }) => why === 'unanswered'))
  assert.ok((downs.at(-1)?.retryIn ?? 0) <= 60_000)
  const again = await town.move('10.0.0.2')
  again.identify = () => challengeFor('acme', 'secret', '10.0.0.2')
  await town.pass(80_000)
  assert.deepEqual([ups.length, again.registrar.size], [2, 1])
  void registration.stop()
})

test('Retry-After of a 503 is obeyed', async () => {
  const { town, carrier, registration, downs } = await carrierAndUs()
  carrier.identify = () => ({ kind: 'refuse', status: 503, reason: 'Full', retryAfter: 40 })
  registration.start()
  await town.pass(39_000)
  assert.equal(downs.length, 1)
  assert.ok((downs[0]?.retryIn ?? 0) >= 40_000 && (downs[0]?.retryIn ?? 0) < 41_000)
  await town.pass(3_000)
  assert.equal(downs.length, 2)
  void registration.stop()
})

test('keep-alive: a phone is asked again and again, and one that does not answer for a while stays where it was', async () => {
  const { town, us, carrier, registration } = await carrierAndUs()
  const keepAlive = new KeepAlive({ clock: town.clock, random: countingRandom(), agent: carrier.agent })
  registration.start()
  await town.pass(1_000)
  // As it is behind an address translation.
  for (const binding of carrier.registrar.all()) keepAlive.bound({ ...binding, contact: 'sip:t1@192.168.1.7' })
  await town.pass(100_000)
  const asked = us.transport.arrived.filter((line) => line.startsWith('OPTIONS sip:t1@192.168.1.7')).length
  assert.ok(asked >= 4 && asked <= 6, String(asked))
  await us.agent.close()
  await town.pass(200_000)
  void registration.stop()
  assert.deepEqual([carrier.unbound, keepAlive.size], [[], 1])
  keepAlive.close()
})

test('keep-alive is for phones behind an address translation: who is where the contact says is left alone', () => {
  const flow = {
    transport: 'udp',
    local: { address: '192.0.2.1', port: 5060 },
    remote: { address: '198.51.100.7', port: 5060 },
    connection: null,
  } as const
  const at = (contact: string, transport: 'udp' | 'tcp' = 'udp') => isTranslated({ contact, flow: { ...flow, transport } } as Binding)
  assert.deepEqual(
    ['sip:t1@10.0.0.9:5060', 'sip:t1@198.51.100.7:5066', 'sip:t1@phone.example'].map((contact) => at(contact)),
    [true, true, true],
  )
  assert.deepEqual(
    [at('sip:t1@198.51.100.7'), at('sip:t1@198.51.100.7:5060'), at('sip:t1@10.0.0.9', 'tcp'), at('tel:+48123')],
    [false, false, false, false],
  )
})
