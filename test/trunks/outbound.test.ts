import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header, provesPassword } from '#test/support/wire.ts'
import { acme, AcmeSystem, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, type SippMessage, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const address = '127.0.0.31'
const outside = '+74951112233'

/** Calls the world outside over a trunk configured so, and gives the INVITEs that the carrier saw. */
async function callOut(at: AcmeSystem, carrier: Sipp, more: Record<string, unknown>, dialled = '84951112233'): Promise<SippMessage[]> {
  await at.apply(acme(trunk('carrier', address, port, more), everythingTo('carrier')))
  const mark = at.facts.mark
  const call = await at.phone.call(dialled)
  assert.equal(call.status, 200)
  const started = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
  assert.equal((await call.bye()).status, 200)
  const ended = await at.facts.next('call.ended', () => true, mark)
  assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['answered', 'caller'])
  // Each once, however often a busy machine had it sent again.
  const all = await carrier.requests('INVITE', started.sip)
  return [...new Map(all.map((invite) => [header(invite, 'via'), invite])).values()]
}

test('calls go out with the number and the caller as each trunk wants them', { skip: withoutSipp }, async (t) => {
  await using carrier = await Sipp.listen({ scenario: 'takes-calls', address, port })
  await using at = await AcmeSystem.start(acme())
  assert.equal((await at.phone.register()).status, 200)

  const shown: readonly [rule: string, from: RegExp, headers: Record<string, RegExp>][] = [
    [
      'asserted',
      /^<sip:\+74950000101@127\.0\.0\.31>;tag=/,
      { 'p-asserted-identity': /^<sip:\+74950000101@127\.0\.0\.31>$/, 'remote-party-id': /^$/ },
    ],
    ['from', /^<sip:\+74950000101@127\.0\.0\.31>;tag=/, { 'p-asserted-identity': /^$/, 'remote-party-id': /^$/ }],
    ['pai', /^<sip:account@127\.0\.0\.31>;tag=/, { 'p-asserted-identity': /^<sip:\+74950000101@127\.0\.0\.31>$/ }],
    ['rpid', /^<sip:account@127\.0\.0\.31>;tag=/, { 'remote-party-id': /^<sip:\+74950000101@127\.0\.0\.31>;party=calling/ }],
  ]
  for (const [rule, from, headers] of shown) {
    await t.test(`the caller by the rule ${rule}`, async () => {
      const [invite] = await callOut(at, carrier, { username: 'account', callerId: { rule } })
      assert.ok(invite)
      assert.match(header(invite, 'from'), from)
      for (const [name, value] of Object.entries(headers)) assert.match(header(invite, name), value)
    })
  }

  const written: readonly [format: unknown, dialled: string, user: string, caller: string][] = [
    ['e164-plus', '84951112233', outside, '+74950000101'],
    ['e164', '84951112233', '74951112233', '74950000101'],
    ['national', outside, '84951112233', '84950000101'],
    ['national', '+37167123456', '0037167123456', '84950000101'],
    [{ strip: 1, prefix: '9998' }, outside, '99984951112233', '99984950000101'],
  ]
  for (const [format, dialled, user, caller] of written) {
    await t.test(`${dialled} written ${JSON.stringify(format)}`, async () => {
      const [invite] = await callOut(at, carrier, { numberFormat: { out: format } }, dialled)
      assert.ok(invite)
      assert.equal(invite.first, `INVITE sip:${user}@127.0.0.31 SIP/2.0`)
      assert.equal(header(invite, 'to'), `<sip:${user}@127.0.0.31>`)
      assert.match(header(invite, 'from'), new RegExp(`<sip:${caller.replace('+', '\\+')}@`))
    })
  }

  await t.test('never a number that the trunk may not show: its own default instead', async () => {
    const [invite] = await callOut(at, carrier, { callerId: { allowed: ['+74950000100'], default: '+74950000100' } })
    assert.ok(invite)
    assert.match(header(invite, 'from'), /<sip:\+74950000100@/)
    assert.doesNotMatch(invite.text, /74950000101/)
  })

  await t.test('what a phone writes into its own headers never reaches the carrier', async () => {
    const mark = at.facts.mark
    const call = await at.phone.call('84951112233', {
      headers: [
        'P-Asserted-Identity: <sip:+79990001122@acme.test>',
        'Remote-Party-ID: <sip:+79990001122@acme.test>',
        'P-Preferred-Identity: <sip:+79990001122@acme.test>',
        'Diversion: <sip:+79990001122@acme.test>',
      ],
    })
    await call.bye()
    const started = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
    await at.facts.next('call.ended', () => true, mark)
    for (const invite of await carrier.requests('INVITE', started.sip)) assert.doesNotMatch(invite.text, /79990001122/)
  })

  await t.test('a domain of its own, by way of an outbound proxy', async () => {
    const proxy = { host: address, port }
    const [invite] = await callOut(at, carrier, {
      host: 'sip.carrier.invalid',
      port: 5060,
      domain: 'carrier.invalid',
      outboundProxy: proxy,
    })
    assert.ok(invite)
    assert.equal(invite.first, `INVITE sip:${outside}@carrier.invalid SIP/2.0`)
    assert.match(header(invite, 'from'), /@carrier\.invalid>/)
  })
})

test('a carrier that asks for a password is told the authentication user’s', { skip: withoutSipp }, async () => {
  await using carrier = await Sipp.listen({ scenario: 'asks-password', address, port })
  await using at = await AcmeSystem.start(acme())
  assert.equal((await at.phone.register()).status, 200)
  const invites = await callOut(at, carrier, {
    username: 'account',
    authUser: 'auth-account',
    password: 'sesame open',
    callerId: { rule: 'pai' },
  })
  assert.equal(invites.length, 2)
  const proof = header(invites[1] ?? assert.fail(), 'proxy-authorization')
  assert.match(proof, /username="auth-account"/)
  assert.ok(provesPassword(proof, 'INVITE', 'sesame open'))
  assert.match(header(invites[1] ?? assert.fail(), 'from'), /<sip:account@/)
})
