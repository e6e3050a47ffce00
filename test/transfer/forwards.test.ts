import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header, type WireMessage } from '#test/support/wire.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'
import { WirePhone } from '#test/support/wire-phone.ts'

const address = '127.0.0.4'
const port = await claimPort()
const password = 'another horse battery'
const phones = (forwards: boolean): Doc[] => [
  { kind: 'device', id: 'second', username: '101', password, algorithms: ['MD5'], forwards },
  { kind: 'extension', id: '101', number: '101', target: { device: 'second' } },
]

describe('forwards and forks before an answer', { skip: withoutSipp }, () => {
  let at: AcmeSystem
  let second: WirePhone
  const documents = (forwards: boolean): Doc[] => [
    ...acme(trunk('carrier', address, port), ...phones(forwards)),
    { ...everythingTo('carrier'), permissions: { international: false } },
  ]
  before(async () => {
    at = await AcmeSystem.start(documents(true))
    second = await WirePhone.open({ user: '101', domain: 'acme.test', password }, at.sip)
    assert.equal((await at.phone.register()).status, 200)
    assert.equal((await second.register()).status, 200)
  })
  after(async () => {
    await second[Symbol.asyncDispose]()
    await at[Symbol.asyncDispose]()
  })

  const invited = (phone: WirePhone): Promise<WireMessage> => phone.wire.next('INVITE', (message) => message.method === 'INVITE')
  const sendOn = async (to: string): Promise<void> => {
    const invite = await invited(second)
    second.wire.answer(invite, '302 Moved Temporarily', [`Contact: <sip:${to}@acme.test>`])
  }

  test('a phone that forwards outside has its call made there, by the trunk; history tells it', async () => {
    const mark = at.facts.mark
    await using carrier = await Sipp.listen({ scenario: 'takes-calls', address, port })
    const calling = at.phone.call('101')
    await sendOn('+74957654321')
    const call = await calling
    assert.equal(call.status, 200)
    const [invite] = await carrier.requests('INVITE')
    assert.match(invite?.first ?? '', /74957654321/)
    await call.bye()
    const redirected = await at.facts.next('leg.redirected', () => true, mark)
    assert.deepEqual([redirected.to, redirected.followed], [['+74957654321'], true])
    await at.facts.next('call.ended', () => true, mark)
  })

  test('it reaches no more than the phone may call, and never itself again', async () => {
    for (const [to, why] of [
      ['+4989123456', /international|not allowed|permission|abroad/i],
      ['101', /loop/],
      ['112', /./],
    ] as const) {
      const mark = at.facts.mark
      const calling = at.phone.call('101')
      await sendOn(to)
      assert.ok((await calling).status >= 400)
      const redirected = await at.facts.next('leg.redirected', () => true, mark)
      assert.equal(redirected.followed, false)
      assert.match(redirected.why ?? '', why)
      await at.facts.next('call.ended', () => true, mark)
    }
  })

  test('a phone that may not forward is as good as not there', async () => {
    await at.apply(documents(false))
    const mark = at.facts.mark
    const calling = at.phone.call('101')
    await sendOn('100')
    assert.equal((await calling).status, 480)
    const redirected = await at.facts.next('leg.redirected', () => true, mark)
    assert.equal(redirected.followed, false)
    const { outcome } = await at.facts.next('call.ended', () => true, mark)
    assert.equal(outcome.kind, 'unreachable')
    await at.apply(documents(true))
  })

  test('of two forks the latest that sends is heard; when it ends the other is; who answers has the call', async () => {
    const mark = at.facts.mark
    const calling = at.phone.call('101')
    const invite = await invited(second)
    const fork = (status: string, tag: string, body = ''): void => {
      // A forking proxy would pass on answers of several phones: here one wire says what both do.
      const copied = ['via', 'from', 'call-id', 'cseq'].flatMap((name) =>
        (invite.headers.get(name) ?? []).map((value) => `${name}: ${value}`),
      )
      const type = body === '' ? [] : ['Content-Type: application/sdp']
      const lines = [`SIP/2.0 ${status}`, ...copied, `To: ${header(invite, 'to')};tag=${tag}`, `Contact: ${second.contact}`, ...type]
      second.wire.send([...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'))
    }
    fork('180 Ringing', 'desk')
    const rang = await at.phone.wire.next('180', (message) => message.status === 180)
    assert.equal(rang.body, '')
    fork('183 Session Progress', 'desk', second.sdp())
    const early = await at.phone.wire.next('183', (message) => message.status === 183)
    assert.match(early.body, /m=audio/)
    fork('183 Session Progress', 'mobile', second.sdp())
    // Nobody sends any more: the caller hears ringback in the audio that it has already.
    at.phone.ear.forget()
    fork('199 Early Dialog Terminated', 'mobile')
    fork('199 Early Dialog Terminated', 'desk')
    await at.phone.ear.sound(200)
    fork('200 OK', 'mobile', second.sdp())
    const call = await calling
    assert.equal(call.status, 200)
    const ack = await second.wire.next(
      'ACK',
      (message) => message.method === 'ACK' && header(message, 'call-id') === header(invite, 'call-id'),
    )
    assert.match(header(ack, 'to'), /tag=mobile/)
    await call.bye()
    const bye = await second.wire.next('BYE', (message) => message.method === 'BYE')
    second.wire.answer(bye, '200 OK')
    await at.facts.next('call.ended', () => true, mark)
  })
})
