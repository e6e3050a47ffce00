import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FeatureCompany } from '#test/features/company.ts'
import { Watcher } from '#test/presence/watcher.ts'
import { header } from '#test/support/wire.ts'
import type { WireCall, WirePhone } from '#test/support/wire-phone.ts'

let company: FeatureCompany

before(async () => {
  company = await FeatureCompany.start()
})
after(() => company[Symbol.asyncDispose]())

/** `caller` talks with `callee`, extension `number`. */
async function talk(caller: WirePhone, callee: WirePhone, number: string): Promise<readonly [WireCall, WireCall]> {
  const answered = callee.answered()
  const call = await caller.call(number)
  assert.equal(call.status, 200)
  return [call, await answered]
}

const referTo = (number: string): string[] => [`Refer-To: <sip:${number}@features.test>`]

/** The final answer to a REFER, and what the transferor is told last. */
async function refer(call: WireCall, number: string): Promise<string> {
  const before = call.phone.wire.onRequest
  call.phone.wire.onRequest = (request) => request.method !== 'NOTIFY' && before.call(call.phone.wire, request)
  try {
    assert.equal((await call.request('REFER', referTo(number))).status, 202)
    for (;;) {
      const notify = await call.phone.wire.next('NOTIFY', ({ method }) => method === 'NOTIFY')
      call.phone.wire.answer(notify, '200 OK')
      if (/terminated/.test(header(notify, 'subscription-state'))) return notify.body.trim()
    }
  } finally {
    call.phone.wire.onRequest = before
  }
}

test('a caller parked by transfer hears music, the lamp of the slot is lit, and any phone fetches them by dialling it', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('101')
  await using parker = await company.phone('102')
  await using third = await company.phone('103')
  using lamp = await Watcher.subscribe(third, 'dialog', '701')
  const [call, parked] = await talk(caller, parker, '102')
  caller.ear.forget()
  assert.equal(await refer(parked, '701'), 'SIP/2.0 200 OK')
  await parked.ended()
  await caller.ear.sound(150)
  const lit = await lamp.until(/<state>confirmed<\/state>/)
  assert.match(lit.body, /sip:101@features\.test/)
  const { calls } = await company.api.get<{ calls: { slot: string; number: string; by: string }[] }>('/v1/parked')
  assert.deepEqual(
    calls.map(({ slot, number, by }) => [slot, number, by]),
    [['701', '101', '102']],
  )
  const fetched = await third.call('701')
  assert.equal(fetched.status, 200)
  assert.match(header(fetched.message, 'p-asserted-identity'), /sip:101@features\.test/)
  await lamp.until(/<state>terminated<\/state>/)
  caller.ear.forget()
  using _speaks = third.ear.speak(fetched.audioAt)
  await caller.ear.sound(300)
  await call.bye()
  await fetched.ended()
  const ended = await company.facts.next('call.ended', () => true, mark)
  assert.equal(ended.outcome.kind, 'answered')
  assert.deepEqual(
    company.facts.facts.slice(mark).filter(({ kind }) => kind === 'call.started' || kind === 'call.parked' || kind === 'call.unparked')
      .length,
    3,
    'it was one call all the way',
  )
})

test('a slot that is taken refuses the transfer and the two talk on; an empty one has nobody to fetch', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('101')
  await using parker = await company.phone('102')
  await using third = await company.phone('103')
  third.ear.forget()
  assert.equal((await third.call('702')).status, 404)
  await third.ear.sound(300)
  const [call, parked] = await talk(caller, parker, '102')
  await refer(parked, '701')
  await parked.ended()
  const [second, other] = await talk(parker, third, '103')
  assert.match(await refer(other, '701'), /^SIP\/2\.0 486 /)
  assert.equal(await refer(other, '*70'), 'SIP/2.0 200 OK', 'the first that is free')
  assert.equal((await company.facts.next('call.parked', ({ slot }) => slot === '702', mark)).by, '103')
  await other.ended()
  await second.bye()
  await call.bye()
  await company.facts.next('call.unparked', ({ slot, why }) => slot === '701' && why === 'left', mark)
})

test('a call that nobody fetches rings who parked it, and goes where the company wants it', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('101')
  await using parker = await company.phone('102')
  await using reception = await company.phone('103')
  const [call, parked] = await talk(caller, parker, '102')
  const started = await company.facts.next('call.started', () => true, mark)
  const { slot } = await company.api.give<{ slot: string }>('POST', `/v1/calls/${started.call}/park`, { by: '102' })
  assert.equal(slot, '701')
  await parked.ended()
  const back = await parker.wire.next('INVITE', ({ method }) => method === 'INVITE')
  assert.match(header(back, 'from'), /701.*sip:101@/)
  const taken = reception.answered()
  parker.wire.answer(back, '486 Busy Here', [`Contact: ${parker.contact}`])
  await (await taken).bye()
  await call.ended()
  const unparked = await company.facts.next('call.unparked', () => true, mark)
  assert.equal(unparked.why, 'timeout')
})

test('a parked call and its lamp outlive the death of the server; it is fetched after it', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('101')
  await using parker = await company.phone('102')
  await using third = await company.phone('103')
  using lamp = await Watcher.subscribe(third, 'dialog', '701')
  const [call, parked] = await talk(caller, parker, '102')
  await refer(parked, '701')
  await parked.ended()
  await lamp.until(/<state>confirmed<\/state>/)
  await company.system.kept(/"kind":"parked"/)
  const from = company.system.lines.length
  process.kill(await company.system.pidOf('server'), 'SIGKILL')
  await company.system.line(/serves again\s+process=server/, from)
  assert.match((await lamp.until(/state="full"/)).body, /<state>confirmed<\/state>/)
  let fetched = await third.call('701')
  // While it catches up it may ask to be tried again.
  while (fetched.status === 503) fetched = await third.call('701')
  assert.equal(fetched.status, 200)
  using _speaks = third.ear.speak(fetched.audioAt)
  caller.ear.forget()
  await caller.ear.sound(300)
  await fetched.bye()
  await call.ended()
  assert.ok(mark >= 0)
})
