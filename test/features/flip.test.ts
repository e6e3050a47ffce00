import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FeatureCompany } from '#test/features/company.ts'
import { header } from '#test/support/wire.ts'
import type { WireCall, WirePhone } from '#test/support/wire-phone.ts'

let company: FeatureCompany

before(async () => {
  company = await FeatureCompany.start()
})
after(() => company[Symbol.asyncDispose]())

async function talk(caller: WirePhone, callee: WirePhone, number: string): Promise<readonly [WireCall, WireCall]> {
  const answered = callee.answered()
  const call = await caller.call(number)
  assert.equal(call.status, 200)
  return [call, await answered]
}

async function hears(listens: WirePhone, speaks: WireCall): Promise<void> {
  listens.ear.forget()
  using _buzz = speaks.phone.ear.speak(speaks.audioAt)
  await listens.ear.sound(300)
}

test('*9 on another phone of the person brings the call there; the other party hears on, the first phone is let go', async () => {
  const mark = company.facts.mark
  await using customer = await company.phone('101')
  await using desk = await company.phone('desk')
  const [call, first] = await talk(customer, desk, '100')
  await using laptop = await company.phone('laptop')
  await hears(customer, first)
  const flipped = await laptop.call('*9')
  assert.equal(flipped.status, 200)
  assert.match(header(flipped.message, 'p-asserted-identity'), /sip:101@features\.test/)
  await first.ended()
  await hears(customer, flipped)
  await hears(laptop, call)
  await call.bye()
  await flipped.ended()
  const ended = await company.facts.next('call.ended', () => true, mark)
  assert.equal(ended.outcome.kind, 'answered')
  assert.equal(company.facts.facts.slice(mark).filter(({ kind }) => kind === 'call.started').length, 1)
  assert.equal((await company.facts.next('call.flipped', () => true, mark)).call, ended.call)
})

test('a phone has nothing to bring over from other people’s phones', async () => {
  await using customer = await company.phone('101')
  await using callee = await company.phone('102')
  const [call, answered] = await talk(customer, callee, '102')
  await using desk = await company.phone('desk')
  assert.equal((await desk.call('*9')).status, 404)
  await call.bye()
  await answered.ended()
})

test('through the API the other phone rings while the two talk on; when it answers the call is there', async () => {
  const mark = company.facts.mark
  await using customer = await company.phone('101')
  await using desk = await company.phone('desk')
  await using laptop = await company.phone('laptop')
  // The person calls: their leg is the caller's.
  const [first, answered] = await talk(desk, customer, '101')
  const { call } = await company.facts.next('call.started', () => true, mark)
  const flip = (by: string, device?: string) =>
    company.api.ask('POST', `/v1/calls/${call}/flip`, { by, ...(device !== undefined && { device }) })
  assert.equal((await flip('101')).status, 400, 'nobody’s phone')
  assert.equal((await flip('100', 'phone-101')).status, 400)
  const taken = laptop.answered()
  assert.equal((await flip('100')).status, 202)
  const flipped = await taken
  await first.ended()
  await hears(customer, flipped)
  await answered.bye()
  await flipped.ended()
  await company.facts.next('call.ended', () => true, mark)
})
