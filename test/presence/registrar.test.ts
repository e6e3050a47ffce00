import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { header, type WireMessage } from '#test/support/wire.ts'
import { type WireCall, WirePhone } from '#test/support/wire-phone.ts'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'

/** Phones with several flows, several phones of one name: on a running system. */
let town: TwoCompanies

before(async () => {
  town = await TwoCompanies.start()
  assert.equal((await town.red.phones[0].register()).status, 200)
})
after(() => town[Symbol.asyncDispose]())

/** One more phone, or one more flow of a phone, of extension 101. */
const open = (): Promise<WirePhone> => WirePhone.open(town.red.phones[1].account, town.sip)
const urn = (n: number): string => `<urn:uuid:00000000-0000-1000-8000-00000000000${n}>`
const register = (phone: WirePhone, instance: string, more: string, supported: string): Promise<WireMessage> =>
  phone.request('REGISTER', 'sip:red.test', {
    to: `<${phone.aor}>`,
    headers: [`Contact: ${phone.contact};+sip.instance="${instance}"${more};expires=300`, `Supported: ${supported}`],
  })
const invited = (phone: WirePhone): Promise<WireMessage> => phone.wire.next('INVITE', ({ method }) => method === 'INVITE')

/** Takes the call that is on its way. */
async function answer(phone: WirePhone, calling: Promise<WireCall>): Promise<void> {
  const [taken, call] = [await phone.answered(), await calling]
  assert.equal(call.status, 200)
  await call.bye()
  await taken.ended()
}

test('a phone with two flows is called over one: the other is tried when its proxy has lost the first, or nobody answers there', async () => {
  await using first = await open()
  await using second = await open()
  const one = await register(first, urn(1), ';reg-id=1', 'outbound, path')
  assert.deepEqual([one.status, header(one, 'require'), header(one, 'flow-timer')], [200, 'outbound', '120'])
  await register(second, urn(1), ';reg-id=2', 'outbound, path')
  const calling = town.red.phones[0].call('101')
  second.wire.answer(await invited(second), '430 Flow Failed')
  await answer(first, calling)
  const again = town.red.phones[0].call('101')
  await invited(second)
  await answer(first, again)
  assert.equal(first.wire.received.filter(({ method }) => method === 'INVITE').length, 0, 'never over both at once')
  for (const phone of [first, second])
    await phone.request('REGISTER', 'sip:red.test', { to: `<${phone.aor}>`, headers: ['Contact: *', 'Expires: 0'] })
})

test('a GRUU reaches the one phone that it names, by call and by message; a made-up one nobody', async () => {
  await using desk = await open()
  await using cordless = await open()
  const caller = town.red.phones[0]
  const contact = header(await register(desk, urn(2), '', 'gruu'), 'contact')
  await register(cordless, urn(3), '', 'gruu')
  const pub = /;pub-gruu="([^"]+)"/.exec(contact)?.[1] ?? ''
  const temp = /;temp-gruu="([^"]+)"/.exec(contact)?.[1] ?? ''
  assert.equal(pub, `sip:101@red.test;gr=${urn(2).slice(1, -1)}`)
  for (const uri of [pub, temp]) await answer(desk, caller.call('101', { requestUri: uri, to: `<${uri}>` }))
  const saying = caller.request('MESSAGE', temp, { headers: ['Content-Type: text/plain'] }, 'hello')
  desk.wire.answer(await desk.wire.next('MESSAGE', ({ method }) => method === 'MESSAGE'), '200 OK')
  assert.equal((await saying).status, 200)
  assert.deepEqual(cordless.wire.received, [])
  const made = temp.replace(/.@/, (end) => (end === '0@' ? '1@' : '0@'))
  for (const uri of [made, pub.replace('red.test', 'blue.test')]) {
    assert.equal((await caller.call('101', { requestUri: uri, to: `<${uri}>` })).status, 404)
    assert.equal((await caller.request('MESSAGE', uri, { headers: ['Content-Type: text/plain'] }, 'x')).status, 404)
  }
})

test('a STUN binding request on the SIP port is answered with where it came from', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.send(Buffer.from('000100002112a442000102030405060708090a0b', 'hex'), town.sip.port, town.sip.address)
  const [answered] = (await once(socket, 'message')) as [Buffer]
  assert.equal(answered.readUInt16BE(0), 0x0101)
  assert.equal(answered.readUInt16BE(26) ^ 0x2112, socket.address().port)
  socket.close()
})
