import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FeatureCompany } from '#test/features/company.ts'
import { header, type WireMessage } from '#test/support/wire.ts'
import type { WireCall, WirePhone } from '#test/support/wire-phone.ts'

let company: FeatureCompany

before(async () => {
  company = await FeatureCompany.start()
})
after(() => company[Symbol.asyncDispose]())

/** The next call rings at a phone, which says so and nothing more. */
async function rings(phone: WirePhone): Promise<WireMessage> {
  const invite = await phone.wire.next('INVITE', ({ method }) => method === 'INVITE')
  phone.wire.answer(invite, '180 Ringing', [`Contact: ${phone.contact}`])
  return invite
}

/** What rang is told that it was answered elsewhere (RFC 3326), so that no missed call is shown. */
async function toldElsewhere(phone: WirePhone, invite: WireMessage): Promise<void> {
  const cancel = await phone.wire.next('CANCEL', ({ method }) => method === 'CANCEL')
  assert.match(header(cancel, 'reason'), /SIP;cause=200/)
  phone.wire.answer(cancel, '200 OK')
  phone.wire.answer(invite, '487 Request Terminated')
}

/** They hear each other. */
async function hear(one: WireCall, other: WireCall): Promise<void> {
  for (const [speaks, listens] of [
    [one, other],
    [other, one],
  ] as const) {
    listens.phone.ear.forget()
    using _buzz = speaks.phone.ear.speak(speaks.audioAt)
    await listens.phone.ear.sound(300)
  }
}

test('** and an extension takes what rings there: the phone sees who calls, the other is told; nobody has missed it', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('103')
  await using called = await company.phone('101')
  await using desk = await company.phone('desk')
  const calling = caller.call('101')
  const invite = await rings(called)
  await company.facts.next('leg.ringing', () => true, mark)
  const picked = await desk.call('**101')
  assert.equal(picked.status, 200)
  assert.match(header(picked.message, 'p-asserted-identity'), /sip:103@features\.test/)
  await toldElsewhere(called, invite)
  const call = await calling
  await hear(call, picked)
  await call.bye()
  await picked.ended()
  const told = await company.facts.next('call.picked-up', () => true, mark)
  const ended = await company.facts.next('leg.ended', ({ leg }) => leg === told.leg, mark)
  assert.equal(ended.outcome.kind, 'answered-elsewhere')
  const { missed } = await company.api.get<{ missed?: boolean }>(`/v1/calls/${told.call}`)
  assert.notEqual(missed, true)
})

test('*8 takes what rings longest in a group of the phone, and nothing of other groups', async () => {
  const mark = company.facts.mark
  await using one = await company.phone('desk')
  await using called = await company.phone('101')
  await using colleague = await company.phone('102')
  await using stranger = await company.phone('103')
  await using second = await company.phone('laptop')
  const first = one.call('101')
  const firstInvite = await rings(called)
  await company.facts.next('leg.ringing', () => true, mark)
  const later = second.call('101')
  const laterInvite = await rings(called)
  await company.facts.next('leg.ringing', ({ call }) => call !== company.facts.facts[mark]?.call, mark)
  assert.equal((await stranger.call('*8')).status, 404)
  const picked = await colleague.call('*8')
  assert.equal(picked.status, 200)
  await toldElsewhere(called, firstInvite)
  const call = await first
  await hear(call, picked)
  const again = await colleague.call('*8')
  await toldElsewhere(called, laterInvite)
  const other = await later
  await hear(other, again)
  await Promise.all([call.bye(), picked.ended(), other.bye(), again.ended()])
  assert.equal((await colleague.call('*8')).status, 404)
})
