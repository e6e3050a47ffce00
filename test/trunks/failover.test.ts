import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header, Wire } from '#test/support/wire.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const first = '127.0.0.41'
const second = '127.0.0.42'
const nobody = '127.0.0.43'
const silent = '127.0.0.44'

/** Two seconds are promised; what a phone waits beyond the silence of the first carrier is this machine's. */
const secondTrunkMs = 2_000

function twoTrunks(address: string, more: Record<string, unknown> = {}): Doc[] {
  return acme(trunk('first', address, port, more), trunk('second', second, port), everythingTo('first', 'second'))
}

/** Calls out; which trunk took it, how long after the INVITE it was asked, which were asked at all, and which were passed over. */
async function callOut(at: AcmeSystem): Promise<{ by: string; ms: number; asked: string[]; passedOver: string[]; status: number }> {
  const mark = at.facts.mark
  const call = await at.phone.call('84951112233')
  if (call.status === 200) await call.bye()
  const ended = await at.facts.next('call.ended', () => true, mark)
  const facts = at.facts.facts.slice(mark).filter((fact) => fact.call === ended.call)
  const started = facts.find((fact) => fact.kind === 'call.started')
  const legs = facts.flatMap((fact) => (fact.kind === 'leg.started' && fact.role === 'callee' ? [fact] : []))
  const taken = legs.at(-1)
  return {
    by: taken?.endpoint.id ?? '',
    asked: legs.map(({ endpoint }) => endpoint.id),
    ms: (taken?.at ?? 0) - (started?.at ?? 0),
    passedOver: facts.flatMap((fact) => (fact.kind === 'trunk.passed-over' ? [fact.trunk] : [])),
    status: call.status,
  }
}

test('a carrier that is silent, refuses packets or is out of service gives way to the next within two seconds', {
  skip: withoutSipp,
}, async (t) => {
  await using _healthy = await Sipp.listen({ scenario: 'takes-calls', address: second, port })
  await using _mute = await Wire.open({ address: '127.0.0.1', port: 9 }, silent, port)
  await using at = await AcmeSystem.start(acme())
  await at.phone.register()

  for (const [what, address] of [
    ['silent', silent],
    ['not there (ICMP)', nobody],
  ] as const) {
    await t.test(what, async () => {
      await at.apply(twoTrunks(address))
      const went = await callOut(at)
      assert.deepEqual([went.status, went.by, went.passedOver], [200, 'second', ['first']])
      assert.ok(went.ms < secondTrunkMs, `asked after ${went.ms} ms`)
    })
  }

  for (const refusal of ['503 Service Unavailable', '500 Server Internal Error', '408 Request Timeout', '604 Does Not Exist Anywhere']) {
    await t.test(refusal.replace('\n', ', '), async () => {
      await using _busy = await Sipp.listen({ scenario: 'refuses-calls', address: first, port, keys: { refusal, health: '200 OK' } })
      await at.apply(twoTrunks(first))
      const went = await callOut(at)
      if (refusal.startsWith('604')) assert.deepEqual([went.status, went.by, went.passedOver], [604, 'first', []])
      else assert.deepEqual([went.status, went.by, went.passedOver], [200, 'second', ['first']])
      assert.ok(went.ms < secondTrunkMs, `asked after ${went.ms} ms`)
    })
  }
})

test('after one call found a carrier dead the next go straight to the second, until OPTIONS finds it alive', {
  skip: withoutSipp,
}, async () => {
  await using _healthy = await Sipp.listen({ scenario: 'takes-calls', address: second, port })
  await using at = await AcmeSystem.start(acme())
  await at.phone.register()
  const from = at.facts.mark
  await at.apply(twoTrunks(nobody, { healthSeconds: 2 }))
  const down = await at.facts.next('trunk.went-down', (fact) => fact.trunk === 'first', from)
  assert.ok(down.why.length > 0)
  const straight = await callOut(at)
  assert.deepEqual([straight.status, straight.asked], [200, ['second']])

  await using _back = await Sipp.listen({ scenario: 'takes-calls', address: nobody, port })
  await at.facts.next('trunk.went-up', (fact) => fact.trunk === 'first', from)
  assert.deepEqual(
    [(await callOut(at)).by, (await at.api.get<{ trunks: { id: string; state: string }[] }>('/v1/trunks')).trunks[0]?.state],
    ['first', 'up'],
  )
})

test('a trunk whose channels are all taken is passed over, refuses further callers with 503, and is free again after', {
  skip: withoutSipp,
}, async () => {
  await using _one = await Sipp.listen({ scenario: 'takes-calls', address: first, port })
  await using _two = await Sipp.listen({ scenario: 'takes-calls', address: second, port })
  await using at = await AcmeSystem.start(twoTrunks(first, { channels: 1 }))
  await at.phone.register()
  const mark = at.facts.mark
  const holding = await at.phone.call('84951112233')
  assert.equal(holding.status, 200)
  const { call: held } = await at.facts.next('call.started', () => true, mark)
  assert.equal((await callOut(at)).by, 'second')
  await holding.bye()
  await at.facts.next('call.ended', (fact) => fact.call === held, mark)
  assert.equal((await callOut(at)).by, 'first')
})

test('what a carrier says of the number called is what the caller is told, and no other trunk is asked', {
  skip: withoutSipp,
}, async (t) => {
  await using at = await AcmeSystem.start(acme())
  await at.phone.register()
  const cause = (status: string, q850: number): string => `${status}\nReason: Q.850;cause=${q850}`
  const told: readonly [refusal: string, kind: string, by: string, sip: number, q850?: number][] = [
    [cause('404 Not Found', 1), 'wrong-number', 'caller', 404, 1],
    ['410 Gone', 'wrong-number', 'caller', 410, 22],
    [cause('410 Gone', 22), 'wrong-number', 'caller', 410, 22],
    [cause('486 Busy Here', 17), 'busy', 'callee', 486, 17],
    [cause('503 Service Unavailable', 17), 'busy', 'callee', 486, 17],
    [cause('480 Temporarily Unavailable', 19), 'no-answer', 'callee', 480, 19],
    ['404 Not Found', 'wrong-number', 'caller', 404],
    ['484 Address Incomplete', 'wrong-number', 'caller', 484],
    ['486 Busy Here', 'busy', 'callee', 486],
    ['603 Decline', 'rejected', 'callee', 603],
    ['480 Temporarily Unavailable', 'unreachable', 'nobody', 480],
    ['302 Moved Temporarily', 'unreachable', 'nobody', 480],
  ]
  for (const [refusal, kind, by, sip, q850] of told) {
    await t.test(refusal.replace('\n', ', '), async () => {
      await using carrier = await Sipp.listen({ scenario: 'refuses-calls', address: first, port, keys: { refusal, health: '200 OK' } })
      await at.apply(twoTrunks(first))
      const mark = at.facts.mark
      const call = await at.phone.call('84951112233')
      assert.equal(call.status, sip)
      const { outcome } = await at.facts.next('call.ended', () => true, mark)
      assert.deepEqual([outcome.kind, outcome.by], [kind, by])
      // The telephone network behind the caller hears it, too.
      if (q850 !== undefined) assert.match(header(call.message, 'reason'), new RegExp(`^Q\\.850;cause=${q850};text=".+"$`))
      // One, however often a busy machine had it sent again.
      assert.equal(new Set((await carrier.requests('INVITE')).map((invite) => header(invite, 'via'))).size, 1)
      assert.equal(header(call.message, 'contact').includes(first), false)
    })
  }
})
