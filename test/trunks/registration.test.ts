import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header } from '#test/support/wire.ts'
import { acme, AcmeSystem, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Kamailio, withoutKamailio } from '#test/trunks/kamailio.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const address = '127.0.0.61'
const behind = { address: '127.0.0.62', port }
const carrier = { address, port, behind, account: 'account' }

const registering = {
  ...{ register: true, registerSeconds: 60, username: 'account', authUser: 'auth-account', password: 'sesame open' },
  ...{ domain: 'carrier.example', dialledNumberIn: 'to', healthSeconds: 1, callerId: { rule: 'pai' } },
}

test('a trunk registers at Kamailio, takes and makes calls through it, and survives its restart', {
  skip: withoutSipp || withoutKamailio,
}, async () => {
  await using at = await AcmeSystem.start(acme())
  await at.phone.register()
  const mark = at.facts.mark
  await using exchange = await Sipp.listen({ scenario: 'takes-calls', ...behind })

  const isRegistered = async (): Promise<boolean | undefined> => {
    const { trunks } = await at.api.get<{ trunks: { id: string; registered: boolean | null }[] }>('/v1/trunks')
    return trunks.find(({ id }) => id === 'carrier')?.registered ?? undefined
  }
  const callIn = async (): Promise<void> => {
    const keys = { dialled: '+74950000100', to: '+74950000100', caller: '+79161234567', more: 'Subject: a' }
    await using call = await Sipp.call({ scenario: 'calls-in', address: behind.address, port: port + 1, keys }, carrier)
    await (await at.phone.answered()).ended()
    await call.done()
  }
  const callOut = async (): Promise<void> => {
    const from = at.facts.mark
    const call = await at.phone.call('84951112233')
    assert.equal(call.status, 200)
    await call.bye()
    const started = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', from)
    await at.facts.next('call.ended', (fact) => fact.call === started.call, from)
    const [invite] = await exchange.requests('INVITE', started.sip)
    assert.ok(invite)
    assert.match(header(invite, 'from'), /<sip:account@carrier\.example>/)
    assert.equal(header(invite, 'proxy-authorization'), '')
    assert.equal(header(invite, 'x-way'), 'by Service-Route')
  }

  // The carrier is away when the trunk is configured: the first thing said of it is that it is down.
  await at.apply(acme(trunk('carrier', address, port, registering), everythingTo('carrier')))
  await at.facts.next('trunk.went-down', () => true, mark)
  let up = mark
  {
    await using _kamailio = await Kamailio.start(carrier)
    await at.facts.next('trunk.went-up', () => true, mark)
    assert.equal(await isRegistered(), true)
    await callIn()
    await callOut()
    // Before it ends: what is told of its end may come before we know that it has.
    up = at.facts.mark
  }
  await at.facts.next('trunk.went-down', () => true, up)
  const dead = at.facts.mark
  {
    await using _kamailio = await Kamailio.start(carrier)
    await at.facts.next('trunk.went-up', () => true, dead)
    assert.equal(await isRegistered(), true)
    await callIn()
    await callOut()
  }
})
