import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header } from '#test/support/wire.ts'
import { acme, AcmeSystem, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()

test('a carrier brings calls in by the number in the Request-URI, in To, in a header of its own, in its own format', {
  skip: withoutSipp,
}, async (t) => {
  await using at = await AcmeSystem.start(
    acme(
      trunk('by-uri', '127.0.0.21', port),
      trunk('by-to', '127.0.0.22', port, { dialledNumberIn: 'to', numberFormat: { in: 'national' } }),
      trunk('by-header', '127.0.0.23', port, { dialledNumberIn: 'P-Called-Party-ID', numberFormat: { in: 'e164' } }),
      trunk('by-rule', '127.0.0.24', port, { numberFormat: { in: { strip: 4, prefix: '+7' } } }),
    ),
  )
  assert.equal((await at.phone.register()).status, 200)

  const callIn = async (address: string, keys: { dialled: string; to: string; caller: string; more: string }): Promise<void> => {
    const mark = at.facts.mark
    await using carrier = await Sipp.call({ scenario: 'calls-in', address, port, keys }, at.sip)
    const call = await at.phone.answered()
    await call.ended()
    await carrier.done()
    const ended = await at.facts.next('call.ended', () => true, mark)
    assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['answered', 'caller'])
    const started = await at.facts.next('call.started', (fact) => fact.call === ended.call, mark)
    assert.deepEqual([started.direction, started.to.number, started.from.number], ['inbound', '+74950000100', '+79161234567'])
    assert.match(header(call.message, 'from'), /<sip:\+79161234567@acme\.test>/)
  }

  await t.test('Request-URI, whatever To says', () =>
    callIn('127.0.0.21', { dialled: '+74950000100', to: 'someone', caller: '+79161234567', more: 'Subject: a' }),
  )
  await t.test('To, written nationally, with our account in the Request-URI', () =>
    callIn('127.0.0.22', { dialled: 'acme-account', to: '84950000100', caller: '89161234567', more: 'Subject: a' }),
  )
  await t.test('a header named by the trunk', () =>
    callIn('127.0.0.23', {
      dialled: 'acme-account',
      to: 'acme-account',
      caller: '79161234567',
      more: 'P-Called-Party-ID: <sip:74950000100@carrier.example>',
    }),
  )
  await t.test('a format by rule', () =>
    callIn('127.0.0.24', { dialled: '99984950000100', to: 'x', caller: '99989161234567', more: 'Subject: a' }),
  )
  await t.test('the asserted identity before From', () =>
    callIn('127.0.0.21', {
      dialled: '+74950000100',
      to: 'x',
      caller: 'switchboard',
      more: 'P-Asserted-Identity: <sip:+79161234567@carrier.example>',
    }),
  )

  await t.test('the breadth it allows is handed on, and none is refused with 440 (RFC 5393)', async () => {
    const keys = { dialled: '+74950000100', to: 'x', caller: '+79161234567' }
    await using narrow = await Sipp.call(
      { scenario: 'calls-in', address: '127.0.0.21', port, keys: { ...keys, more: 'Max-Breadth: 7' } },
      at.sip,
    )
    const call = await at.phone.answered()
    assert.deepEqual([header(call.message, 'max-breadth'), header(call.message, 'max-forwards')], ['7', '69'])
    await call.ended()
    await narrow.done()
    const none = { ...keys, status: '440', more: 'Max-Breadth: 0' }
    await using refused = await Sipp.call({ scenario: 'is-refused', address: '127.0.0.21', port, keys: none }, at.sip)
    await refused.done()
  })

  await t.test('a number that is nobody’s is refused with 404 and a fact', async () => {
    const mark = at.facts.mark
    await using carrier = await Sipp.call(
      {
        scenario: 'is-refused',
        address: '127.0.0.21',
        port,
        keys: { status: '404', dialled: '+74950009999', to: 'x', caller: '1', more: 'Subject: a' },
      },
      at.sip,
    )
    await carrier.done()
    const refused = await at.facts.next('call.refused', () => true, mark)
    assert.deepEqual([refused.rule, refused.sip], ['unknown-number', 404])
    const ended = await at.facts.next('call.ended', () => true, mark)
    assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['wrong-number', 'caller'])
  })
})

test('a carrier that has IPv6 alone calls a phone that has IPv4 alone; each is told of audio on its own family', {
  skip: withoutSipp,
}, async () => {
  await using at = await AcmeSystem.start(acme(trunk('six', '::1', port)), { CENTRALA_SIP_ADDRESSES: '127.0.0.1,::1' })
  assert.equal((await at.phone.register()).status, 200)
  const keys = { dialled: '+74950000100', to: 'x', caller: '+79161234567', more: 'Subject: a' }
  const sip = { ...at.sip, address: '::1' }
  await using carrier = await Sipp.call({ scenario: 'calls-in', address: '::1', port, keys }, sip)
  const call = await at.phone.answered()
  await call.ended()
  await carrier.done()
  assert.match(call.message.body, /^c=IN IP4 127\.0\.0\.1\r?$/m)
  const answer = (await carrier.messages()).find(({ status }) => status === 200) ?? assert.fail('no answer')
  assert.match(answer.body, /^c=IN IP6 ::1\r?$/m)
  assert.match(header(answer, 'contact'), /\[::1\]:\d+/)
})
