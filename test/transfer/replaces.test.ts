import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { header, newTag, taggedTo, type WireMessage } from '#test/support/wire.ts'
import { type WireCall, WirePhone } from '#test/support/wire-phone.ts'
import { TwoCompanies } from '#test/tenancy/two-companies.ts'

const tagOf = (address: string): string => /;tag=([^;]+)/.exec(address)?.[1] ?? ''

/** How others name the dialog of a call that this phone made (RFC 3891 §3): its own tag is the far one's `from-tag`. */
function named(call: WireCall): string {
  const { message } = call
  return `${call.callId};to-tag=${tagOf(header(message, 'to'))};from-tag=${tagOf(header(message, 'from'))}`
}

describe('Replaces', () => {
  let at: TwoCompanies
  before(async () => {
    at = await TwoCompanies.start()
    for (const phone of [...at.red.phones, ...at.blue.phones]) assert.equal((await phone.register()).status, 200)
  })
  after(() => at[Symbol.asyncDispose]())

  /** 100 of red talks with 101 of red. */
  const talking = async (): Promise<[WireCall, WireCall]> => {
    const [one, other] = at.red.phones
    const answered = other.answered()
    const call = await one.call('101')
    assert.equal(call.status, 200)
    return [call, await answered]
  }
  const asWell = (): Promise<WirePhone> => WirePhone.open(at.red.phones[0].account, at.sip)
  const referTo = (dialog: string, number = '101'): string[] => [
    `Refer-To: <sip:${number}@red.test?Replaces=${encodeURIComponent(dialog)}>`,
    'Referred-By: <sip:100@red.test>',
  ]

  test('an INVITE takes the place of one party; the other talks on with the new one, in the same call', async () => {
    const mark = at.red.facts.mark
    const [one, other] = await talking()
    await using desk = await asWell()
    const taken = one.ended()
    const call = await desk.call('101', { headers: [`Replaces: ${named(one)}`, 'Require: replaces'] })
    assert.equal(call.status, 200)
    await taken
    const joined = await at.red.facts.next('bridge.joined', (fact) => fact.seq > 8, mark)
    await call.bye()
    await other.ended()
    const ended = await at.red.facts.next('call.ended', () => true, mark)
    assert.deepEqual([ended.call, ended.outcome.kind], [joined.call, 'answered'])
    assert.equal(at.red.facts.facts.slice(mark).filter((fact) => fact.kind === 'call.started').length, 1)
  })

  test('what rings at one phone is picked up at another; the caller talks with that one', async () => {
    const mark = at.red.facts.mark
    const [one, other] = at.red.phones
    const calling = one.call('101')
    const invite = await other.wire.next('INVITE', (message) => message.method === 'INVITE')
    other.wire.answer(invite, '180 Ringing', [`Contact: ${other.contact}`])
    await at.red.facts.next('leg.ringing', () => true, mark)
    await using desk = await asWell()
    const rings = `${header(invite, 'call-id')};to-tag=${tagOf(header(invite, 'from'))};from-tag=${tagOf(taggedTo(invite))}`
    const picked = await desk.call('101', { headers: [`Replaces: ${rings};early-only`] })
    assert.equal(picked.status, 200)
    const call = await calling
    assert.equal(call.status, 200)
    const cancel = await other.wire.next('CANCEL', (message) => message.method === 'CANCEL')
    assert.match(header(cancel, 'reason'), /cause=200/)
    other.wire.answer(cancel, '200 OK')
    other.wire.answer(invite, '487 Request Terminated')
    await call.bye()
    await picked.ended()
    await at.red.facts.next('call.ended', () => true, mark)
  })

  test('a dialog that is not there, is another company’s, is talking already, or is not one: 481, 481, 486, 400', async () => {
    const mark = at.red.facts.mark
    const [one, other] = await talking()
    await using desk = await asWell()
    const ask = async (phone: WirePhone, value: string): Promise<number> =>
      (await phone.call('101', { headers: [`Replaces: ${value}`] })).status
    assert.deepEqual(
      [
        await ask(desk, `${newTag()};to-tag=a;from-tag=b`),
        await ask(at.blue.phones[0], named(one)),
        await ask(desk, `${named(one)};early-only`),
        await ask(desk, 'nonsense'),
      ],
      [481, 481, 486, 400],
    )
    await one.bye()
    await other.ended()
    await at.red.facts.next('call.ended', () => true, mark)
  })

  test('a REFER that names a dialog of another company fails with 481, and leaves both calls alone', async () => {
    const mark = at.red.facts.mark
    const [one, other] = await talking()
    const notified: WireMessage[] = []
    const [blue, blueOther] = at.blue.phones
    const answered = blueOther.answered()
    const call = await blue.call('101')
    await answered
    const before = blue.wire.onRequest
    blue.wire.onRequest = (request) => {
      if (request.method === 'NOTIFY') notified.push(request)
      return before(request)
    }
    assert.equal((await call.request('REFER', referTo(named(one)))).status, 202)
    const failed = await at.blue.facts.next('transfer.failed')
    assert.equal(failed.outcome.sip, 481)
    await call.bye()
    await (await answered).ended()
    assert.match(notified.at(-1)?.body ?? '', /^SIP\/2\.0 481 /)
    await one.bye()
    await other.ended()
    await at.red.facts.next('call.ended', () => true, mark)
  })

  test('who refers while the third still rings sends its party there; the third is told by whom; nobody is notified who asked not to be', async () => {
    const mark = at.red.facts.mark
    const [first, second] = at.red.phones
    const [one, other] = await talking()
    await using desk = await asWell()
    assert.equal((await second.register()).status, 200)
    // A second call of the transferor that is still ringing.
    const calling = desk.call('101')
    const ringing = await second.wire.next('INVITE', (message) => message.method === 'INVITE')
    second.wire.answer(ringing, '180 Ringing', [`Contact: ${second.contact}`])
    const rang = await desk.wire.next('180', (message) => message.status === 180)
    let notified = 0
    const before = first.wire.onRequest
    first.wire.onRequest = (request) => {
      if (request.method === 'NOTIFY') notified++
      return before(request)
    }
    const dialog = `${header(rang, 'call-id')};to-tag=${tagOf(header(rang, 'to'))};from-tag=${tagOf(header(rang, 'from'))}`
    const referred = await one.request('REFER', [...referTo(dialog), 'Refer-Sub: false'])
    assert.deepEqual([referred.status, header(referred, 'refer-sub')], [202, 'false'])
    const cancel = await second.wire.next('CANCEL', (message) => message.method === 'CANCEL')
    second.wire.answer(cancel, '200 OK')
    second.wire.answer(ringing, '487 Request Terminated')
    assert.equal((await calling).status, 480)
    const invite = await second.wire.next('INVITE', (message) => message.method === 'INVITE')
    assert.match(header(invite, 'referred-by'), /sip:100@red\.test/)
    second.wire.answer(invite, '200 OK', [`Contact: ${second.contact}`, 'Content-Type: application/sdp'], second.sdp())
    await one.ended()
    await other.bye()
    const bye = await second.wire.next('BYE', (message) => message.method === 'BYE')
    second.wire.answer(bye, '200 OK')
    await at.red.facts.next('call.ended', (fact) => fact.outcome.kind === 'answered', mark)
    first.wire.onRequest = before
    assert.equal(notified, 0)
  })
})
