import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import { IdentitySigner } from '#server/stir/signer.ts'
import { makeCertificates } from '#server/stir/testing.ts'
import { parseIdentity } from '#sip/identity/identity-header.ts'
import { decodePassport } from '#sip/identity/passport.ts'
import { claimPort } from '#test/support/ports.ts'
import { header } from '#test/support/wire.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, type SippMessage, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const inside = '127.0.0.61'
const outside = '127.0.0.62'
const caller = '+79161234567'
const number = '+74950000100'

type Keys = { dialled?: string; caller?: string; more?: string; status?: string }

/** A carrier's call; `scenario` says how it must go. */
async function bring(at: AcmeSystem, scenario: string, keys: Keys, from = port): Promise<Sipp> {
  const all = { dialled: number, to: 'x', caller, more: 'Subject: a', status: '200', ...keys }
  return Sipp.call({ scenario, address: inside, port: from, keys: all }, at.sip)
}

/** One of our numbers that goes out again, by way of a trunk configured so. */
function forwarding(more: Record<string, unknown>): Doc[] {
  const [...documents] = acme(trunk('in', inside, port), trunk('out', outside, port, more), everythingTo('out'))
  return documents.map((each) => (each.id === 'second' ? { ...each, target: { external: '+79990000009' } } : each))
}

/** Brings a call to the number that goes out again; the INVITE that the other carrier saw. */
async function forwarded(at: AcmeSystem, carrier: Sipp, keys: Keys): Promise<SippMessage> {
  const mark = at.facts.mark
  await using call = await bring(at, 'calls-in', { dialled: '+74950000101', ...keys })
  await call.done()
  const leg = await at.facts.next('leg.started', (fact) => fact.role === 'callee', mark)
  await at.facts.next('call.ended', () => true, mark)
  const [invite] = await carrier.requests('INVITE', leg.sip)
  return invite ?? assert.fail('no INVITE came out')
}

test('who calls, whom it was meant for, and who must not be known: in from a carrier and out by another', {
  skip: withoutSipp,
}, async (t) => {
  await using carrier = await Sipp.listen({ scenario: 'takes-calls', address: outside, port })
  await using at = await AcmeSystem.start(acme(trunk('in', inside, port)))
  await at.phone.register()

  await t.test('a caller who withholds the number is anonymous to the phone and to the journal', async () => {
    const mark = at.facts.mark
    await using call = await bring(at, 'calls-in', {
      caller: 'anonymous',
      more: `P-Asserted-Identity: "Secret" <sip:${caller}@carrier.example>\nRemote-Party-ID: <sip:${caller}@x>;privacy=full\nPrivacy: id`,
    })
    const rung = await at.phone.answered()
    await call.done()
    await at.facts.next('call.ended', () => true, mark)
    assert.doesNotMatch(rung.message.text, /9161234567|Secret/)
    assert.match(header(rung.message, 'from'), /anonymous@anonymous\.invalid/)
    assert.doesNotMatch(JSON.stringify(at.facts.facts.slice(mark)), /9161234567|Secret/)
  })

  await t.test('trusted headers count from a trusted trunk alone', async () => {
    await at.apply(acme(trunk('in', inside, port, { callerId: { trusted: false } })))
    const mark = at.facts.mark
    await using call = await bring(at, 'calls-in', {
      more: 'P-Asserted-Identity: <sip:+79990001122@x>\nDiversion: <sip:+79990001123@x>;reason=user-busy',
    })
    await at.phone.answered()
    await call.done()
    const started = await at.facts.next('call.started', () => true, mark)
    await at.facts.next('call.ended', () => true, mark)
    assert.deepEqual([started.from.number, started.diverted], [caller, undefined])
  })

  await t.test('a forwarded call says whom it was meant for, by Diversion and by History-Info', async () => {
    await at.apply(acme(trunk('in', inside, port)))
    for (const more of [
      `Diversion: <sip:+74957770000@x>;reason=user-busy`,
      `History-Info: <sip:+74957770000@x>;index=1, <sip:${number}@y;cause=486>;index=1.1;mp=1`,
    ]) {
      const mark = at.facts.mark
      await using call = await bring(at, 'calls-in', { more })
      await at.phone.answered()
      await call.done()
      const started = await at.facts.next('call.started', () => true, mark)
      await at.facts.next('call.ended', () => true, mark)
      assert.deepEqual(started.diverted, [{ number: '+74957770000', reason: 'user-busy' }])
    }
  })

  await t.test('going out again it shows the caller in From, us in P-Asserted-Identity, and that it was meant for us', async () => {
    await at.apply(forwarding({ callerId: { forwarded: 'original' }, diversion: 'both' }))
    const invite = await forwarded(at, carrier, {})
    assert.match(header(invite, 'from'), /<sip:\+79161234567@127\.0\.0\.62>/)
    assert.equal(header(invite, 'p-asserted-identity'), `<sip:${number}@${outside}>`)
    assert.match(header(invite, 'diversion'), /^<sip:\+74950000101@127\.0\.0\.62>;reason=unconditional/)
    assert.match(invite.text, /History-Info: <sip:\+79990000009@127\.0\.0\.62;cause=302>;index=1\.1;mp=1/)
  })

  await t.test('a withheld number stays withheld in every header when the call goes out again', async () => {
    for (const rule of ['asserted', 'from', 'pai', 'ppi', 'rpid']) {
      await at.apply(forwarding({ callerId: { forwarded: 'original', rule }, diversion: 'both' }))
      const invite = await forwarded(at, carrier, {
        more: `P-Asserted-Identity: "Secret" <sip:${caller}@x>\nCall-Info: <http://x/${caller}.png>;purpose=icon\nPrivacy: id`,
        caller: 'anonymous',
      })
      assert.doesNotMatch(invite.text, /9161234567|Secret/, rule)
      assert.match(header(invite, 'privacy'), /^id$/)
    }
  })

  await t.test('phones are asked to ring by where a call comes from, and by the ring of a group', async () => {
    const group = { kind: 'ring-group', id: 'sales', strategy: 'together', members: [{ device: 'desk' }], noAnswer: { hangup: {} } }
    const ringing = (more: Record<string, unknown>): Doc[] =>
      acme(trunk('in', inside, port), { ...group, ...more }).map((each) => {
        if (each.kind === 'company') return { ...each, distinctiveRing: true }
        return each.kind === 'number' ? { ...each, target: { ringGroup: 'sales' } } : each
      })
    for (const [more, alert] of [
      [{}, '<urn:alert:source:external>;info=alert-external'],
      [{ ringTone: 'Bellcore-dr3' }, '<http://alert.invalid/Bellcore-dr3>;info=Bellcore-dr3'],
    ] as const) {
      await at.apply(ringing(more))
      const mark = at.facts.mark
      await using call = await bring(at, 'calls-in', { more: 'Alert-Info: <http://evil/>\nCall-Info: <http://evil/>' })
      const rung = await at.phone.answered()
      await call.done()
      await at.facts.next('call.ended', () => true, mark)
      assert.equal(header(rung.message, 'alert-info'), alert)
      assert.doesNotMatch(rung.message.text, /evil/)
    }
  })

  await t.test('a phone that asks for privacy shows nothing, and nothing of what it writes is passed on', async () => {
    await at.apply(acme(trunk('out', outside, port, { callerId: { trusted: false } }), everythingTo('out')))
    const mark = at.facts.mark
    const call = await at.phone.call('84951112233', { headers: ['Privacy: id', 'Call-Info: <http://evil/>', 'Alert-Info: <http://evil/>'] })
    assert.equal(call.status, 200)
    await call.bye()
    const leg = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
    await at.facts.next('call.ended', () => true, mark)
    const [invite] = await carrier.requests('INVITE', leg.sip)
    assert.doesNotMatch(invite?.text ?? '7495', /7495000|evil/)
    assert.match(header(invite ?? assert.fail(), 'from'), /anonymous\.invalid/)
  })
})

test('a carrier that asks for what there is not is refused by name, and the call goes on where there is one', {
  skip: withoutSipp,
}, async (t) => {
  await using _carrier = await Sipp.listen({ scenario: 'takes-calls', address: inside, port })
  const one = trunk('in', inside, port, { channels: 1 })
  await using at = await AcmeSystem.start(acme(one, everythingTo('in')))
  await at.phone.register()

  await t.test('the channel limit counts both ways: 503 with Retry-After and a cause', async () => {
    const holding = await at.phone.call('84951112233')
    assert.equal(holding.status, 200)
    const mark = at.facts.mark
    await using call = await bring(at, 'is-refused', { status: '503' }, port + 1)
    await call.done()
    const refused = await at.facts.next('call.refused', () => true, mark)
    assert.deepEqual([refused.rule, refused.sip], ['channel-limit', 503])
    const [answer] = (await call.messages()).filter((message) => message.received && message.status === 503)
    assert.match(header(answer ?? assert.fail(), 'retry-after'), /^\d+$/)
    await holding.bye()
    await at.facts.next('call.ended', (fact) => fact.outcome.kind === 'answered', mark)
  })

  await t.test('T.38 in the middle of a call is refused with 488, and the call goes on', async () => {
    const mark = at.facts.mark
    await using call = await bring(at, 'turns-to-fax', {}, port + 1)
    await at.phone.answered()
    await call.done()
    const ended = await at.facts.next('call.ended', () => true, mark)
    assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['answered', 'caller'])
  })

  await t.test('a trunk of a dialect speaks it, and an unknown dialect is refused with the one that was meant', async () => {
    await at.apply(acme(trunk('in', inside, port, { dialect: 'sipgate', username: 'account' }), everythingTo('in')))
    const mark = at.facts.mark
    const call = await at.phone.call('84951112233')
    await call.bye()
    const leg = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
    await at.facts.next('call.ended', () => true, mark)
    const [invite] = await _carrier.requests('INVITE', leg.sip)
    assert.ok(invite)
    assert.equal(invite.first, `INVITE sip:74951112233@${inside} SIP/2.0`)
    assert.match(header(invite, 'from'), /<sip:account@/)
    assert.equal(header(invite, 'p-preferred-identity'), `<sip:74950000101@${inside}>`)
    const wrong = acme(trunk('in', inside, port, { dialect: 'sipgat' }))
    await assert.rejects(at.apply(wrong), /perhaps sipgate/)
    const listed = (await at.api.get('/v1/trunks/dialects')) as { dialects: { name: string }[] }
    assert.ok(listed.dialects.some(({ name }) => name === 'sipgate'))
  })
})

test('a carrier that names an unknown host in its Contact is spoken to where it answered from', { skip: withoutSipp }, async () => {
  await using carrier = await Sipp.listen({ scenario: 'foreign-contact', address: outside, port })
  await using at = await AcmeSystem.start(acme(trunk('out', outside, port), everythingTo('out')))
  await at.phone.register()
  const mark = at.facts.mark
  const call = await at.phone.call('84951112233')
  assert.equal(call.status, 200)
  await call.bye()
  const leg = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
  const ended = await at.facts.next('call.ended', () => true, mark)
  assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['answered', 'caller'])
  for (const method of ['ACK', 'BYE']) {
    const { first } = await carrier.request(method, leg.sip ?? '')
    assert.equal(first, `${method} sip:carrier@inner.carrier.invalid:5061 SIP/2.0`)
  }
})

test('callers’ signatures are verified on the way in and made on the way out', { skip: withoutSipp }, async (t) => {
  const made = makeCertificates()
  const folder = await mkdtemp(join(tmpdir(), 'stir-ca-'))
  await writeFile(join(folder, 'ca.pem'), made.authority)
  const url = 'https://cert.acme.example/shaken.pem'
  const signing = { url, certificate: made.leaf, privateKey: made.key }
  const signed = (...more: Doc[]): Doc[] => acme(...more).map((each) => (each.kind === 'company' ? { ...each, signing } : each))
  const inbound = (identity: string): Doc => trunk('in', inside, port, { identity })
  try {
    await using carrier = await Sipp.listen({ scenario: 'takes-calls', address: outside, port })
    await using at = await AcmeSystem.start(signed(inbound('refuse')), { CENTRALA_STIR_CA: join(folder, 'ca.pem') })
    await at.phone.register()
    const signer = new IdentitySigner(new VirtualClock(Date.now()))
    signer.configure('them', signing)
    const identity = (orig = caller): string =>
      `Identity: ${new Map(signer.sign('them', { orig, dest: number, attest: 'B' })).get('Identity') ?? ''}`

    const refusals: readonly [what: string, status: string, more: string][] = [
      ['no signature', '428', 'Subject: a'],
      ['somebody else’s signature', '438', identity('+79990000000')],
      ['nonsense', '438', 'Identity: nonsense'],
    ]
    for (const [what, status, more] of refusals) {
      await t.test(`${what} is refused with ${status}`, async () => {
        const mark = at.facts.mark
        await using call = await bring(at, 'is-refused', { status, more })
        await call.done()
        const refused = await at.facts.next('call.refused', () => true, mark)
        assert.deepEqual([refused.rule, refused.sip], ['caller-identity', Number(status)])
      })
    }

    await t.test('a certificate at an address inside is not fetched, and the call refused with 436', async () => {
      const inner = new IdentitySigner(new VirtualClock(Date.now()))
      inner.configure('them', { ...signing, url: 'https://127.0.0.1/shaken.pem' })
      const value = new Map(inner.sign('them', { orig: caller, dest: number, attest: 'A' })).get('Identity') ?? ''
      await using call = await bring(at, 'is-refused', { status: '436', more: `Identity: ${value}` })
      await call.done()
    })

    for (const policy of ['refuse', 'mark']) {
      await t.test(`a good signature passes where the trunk says ${policy}, and its worth is told`, async () => {
        await at.apply(signed(inbound(policy)))
        const mark = at.facts.mark
        await using call = await bring(at, 'calls-in', { more: identity() })
        await at.phone.answered()
        await call.done()
        const checked = await at.facts.next('call.identity-checked', () => true, mark)
        assert.deepEqual([checked.verdict, checked.attestation], ['passed', 'B'])
        await at.facts.next('call.ended', () => true, mark)
      })
    }

    await t.test('a bad signature never drops a call unless the trunk says so', async () => {
      const mark = at.facts.mark
      await using call = await bring(at, 'calls-in', { more: identity('+79990000000') })
      await at.phone.answered()
      await call.done()
      const checked = await at.facts.next('call.identity-checked', () => true, mark)
      assert.deepEqual([checked.verdict, checked.why], ['failed', 'signed for another caller'])
      await at.facts.next('call.ended', () => true, mark)
    })

    await t.test('our own number is signed with attestation A, a withheld one for an untrusted trunk not at all', async () => {
      for (const [trusted, headers] of [
        [true, []],
        [false, ['Privacy: id']],
      ] as const) {
        await at.apply(signed(trunk('out', outside, port, { callerId: { trusted } }), everythingTo('out')))
        const mark = at.facts.mark
        const call = await at.phone.call('84951112233', { headers: [...headers] })
        await call.bye()
        const leg = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
        await at.facts.next('call.ended', () => true, mark)
        const [invite] = await carrier.requests('INVITE', leg.sip)
        const value = header(invite ?? assert.fail(), 'identity')
        if (!trusted) assert.equal(value, '')
        else {
          const { passport } = decodePassport(parseIdentity(value)?.token ?? '') ?? assert.fail(value)
          assert.deepEqual([passport.attest, passport.orig, passport.dest, passport.x5u], ['A', '74950000101', ['74951112233'], url])
        }
      }
    })
    const exported = JSON.stringify(await at.api.get('/v1/configuration'))
    assert.doesNotMatch(exported, /PRIVATE KEY/)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
