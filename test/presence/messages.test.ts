import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { header, type WireMessage } from '#test/support/wire.ts'
import type { WirePhone } from '#test/support/wire-phone.ts'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'

let town: TwoCompanies

before(async () => {
  town = await TwoCompanies.start()
  for (const company of [town.red, town.blue]) for (const phone of company.phones) assert.equal((await phone.register()).status, 200)
})
after(() => town[Symbol.asyncDispose]())

const say = (phone: WirePhone, to: string, text: string, type = 'text/plain;charset=utf-8'): Promise<WireMessage> =>
  phone.request('MESSAGE', to, { headers: [`Content-Type: ${type}`] }, text)
const came = (phone: WirePhone): Promise<WireMessage> => phone.wire.next('MESSAGE', ({ method }) => method === 'MESSAGE')

test('a message reaches the phone of a colleague as it was written, and the journal knows of it without its words', async () => {
  const [one, other] = town.red.phones
  const answer = say(one, 'sip:101@red.test', 'Обед в час?')
  const message = await came(other)
  assert.deepEqual([message.body, header(message, 'content-type')], ['Обед в час?', 'text/plain;charset=utf-8'])
  assert.match(header(message, 'from'), /<sip:100@red\.test>/)
  other.wire.answer(message, '200 OK')
  assert.equal((await answer).status, 200)
  const fact = await town.red.facts.next('message.sent')
  assert.deepEqual([fact.device, fact.to, fact.type, fact.bytes, fact.delivered, fact.sip], ['phone-100', '101', 'text/plain', 19, 1, 200])
  assert.doesNotMatch(JSON.stringify(fact), /Обед/)
})

test('what the phone says against it comes back to the sender', async () => {
  const [one, other] = town.red.phones
  const answer = say(one, 'sip:101@red.test', '<b>hi</b>', 'text/html')
  other.wire.answer(await came(other), '415 Unsupported Media Type')
  assert.equal((await answer).status, 415)
})

test('nobody there is 480, nobody of that name 404, and another company’s name is nobody’s', async () => {
  const [one, other] = town.red.phones
  await other.request('REGISTER', 'sip:red.test', { to: `<${other.aor}>`, headers: ['Contact: *', 'Expires: 0'] })
  assert.equal((await say(one, 'sip:101@red.test', 'there?')).status, 480)
  await other.register()
  assert.equal((await say(one, 'sip:999@red.test', 'there?')).status, 404)
  assert.equal((await say(one, 'sip:100@blue.test', 'there?')).status, 404)
  assert.equal(town.blue.facts.of('message.sent').length, 0)
})

test('what one of two writes during their call reaches the other; once it is over there is nobody to write to', async () => {
  const [one, other] = town.red.phones
  const calling = one.call('101')
  const [taken, call] = [await other.answered(), await calling]
  for (const [from, to] of [
    [call, other],
    [taken, one],
  ] as const) {
    const answer = from.request('MESSAGE', ['Content-Type: text/plain'], {}, 'The code is 4711')
    const message = await came(to)
    assert.equal(message.body, 'The code is 4711')
    to.wire.answer(message, '200 OK')
    assert.equal((await answer).status, 200)
  }
  await call.bye()
  await taken.ended()
  assert.equal((await call.request('MESSAGE', ['Content-Type: text/plain'], {}, 'late')).status, 481)
})

test('too long, of a strange type, or too many: refused by name', async () => {
  const [one] = town.red.phones
  assert.equal((await say(one, 'sip:101@red.test', 'x'.repeat(1_301))).status, 513)
  assert.equal((await say(one, 'sip:101@red.test', 'x', 'application/octet-stream')).status, 415)
  let last = 404
  for (let i = 0; i < 70 && last === 404; i++) last = (await say(one, 'sip:999@red.test', 'x')).status
  assert.equal(last, 480)
})
