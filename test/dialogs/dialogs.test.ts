import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { claimPort } from '#test/support/ports.ts'
import { header } from '#test/support/wire.ts'
import type { CallView } from '#contract/api/calls.ts'
import { until } from '#test/support/sounds.ts'
import { acme, AcmeSystem, everythingTo, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const address = '127.0.0.3'
const port = await claimPort()

describe('dialogs with a carrier that knows the extensions', { skip: withoutSipp }, () => {
  let at: AcmeSystem
  before(async () => {
    const documents = [...acme(trunk('carrier', address, port, { dialledNumberIn: 'request-uri' })), everythingTo('carrier')]
    // The least that can be waited for in a test.
    at = await AcmeSystem.start(documents, { CENTRALA_SIP_MIN_SESSION_SECONDS: '4' })
    assert.equal((await at.phone.register()).status, 200)
  })
  after(() => at[Symbol.asyncDispose]())

  const callsIn = (scenario: string): Promise<Sipp> =>
    Sipp.call({ scenario: `../../dialogs/sipp/${scenario}`, address, port, keys: { dialled: '+74950000100' } }, at.sip)

  const historyOf = async (call: string | undefined): Promise<CallView> => {
    let row: CallView | null = null
    await until('history has the call', async () => {
      row = await at.api.get<CallView>(`/v1/calls/${call}`)
      return row.endedAt !== null
    })
    return row ?? assert.fail()
  }

  test('a caller that requires 100rel gets early media to acknowledge, and may hold by UPDATE (RFC 3262, RFC 3311)', async () => {
    const mark = at.facts.mark
    await using sipp = await callsIn('reliable-caller')
    const { wire, contact } = at.phone
    const invite = await wire.next('INVITE', (message) => message.method === 'INVITE')
    const lines = [`Contact: ${contact}`, 'Content-Type: application/sdp']
    wire.answer(invite, '183 Session Progress', lines, at.phone.sdp())
    await at.facts.next('leg.ringing', (fact) => fact.earlyMedia, mark)
    wire.answer(invite, '200 OK', lines, at.phone.sdp())
    const bye = await wire.next('BYE', (message) => message.method === 'BYE')
    wire.answer(bye, '200 OK')
    await sipp.done()
    await at.facts.next('call.ended', () => true, mark)
    const told = at.facts.facts.slice(mark).map((fact) => fact.kind)
    assert.ok(told.includes('leg.held') && told.includes('leg.resumed'), told.join(' '))
  })

  test('provisional responses that a callee wants acknowledged are, in order; its answer has no session of its own', async () => {
    const mark = at.facts.mark
    await using sipp = await Sipp.serve({ scenario: '../../dialogs/sipp/reliable-callee', address, port })
    const call = await at.phone.call('+74957654321')
    assert.equal(call.status, 200)
    assert.equal((await call.bye()).status, 200)
    await sipp.done()
    const ended = await at.facts.next('call.ended', () => true, mark)
    assert.equal(ended.outcome.kind, 'answered')
  })

  test('too short a session gets 422; one that is not refreshed any more ends with a BYE, and history says why (RFC 4028)', async () => {
    const mark = at.facts.mark
    at.phone.answersAlone = true
    await using sipp = await callsIn('timed-caller')
    await sipp.done()
    at.phone.answersAlone = false
    const ended = await at.facts.next('leg.ended', (fact) => fact.outcome.kind === 'failed', mark)
    assert.match(ended.outcome.detail ?? '', /^session expired/)
    const row = await historyOf(ended.call)
    assert.deepEqual([row.outcome.kind, row.outcome.detail], ['failed', 'session expired: the peer is gone'])
  })

  test('two re-INVITEs that cross are both refused with 491, and ours comes again; the call goes on (RFC 3261 §14)', async () => {
    const mark = at.facts.mark
    at.phone.answersAlone = true
    await using sipp = await callsIn('glare')
    await sipp.done()
    at.phone.answersAlone = false
    const ended = await at.facts.next('call.ended', () => true, mark)
    assert.deepEqual([ended.outcome.kind, ended.outcome.by], ['answered', 'caller'])
    const told = at.facts.facts.slice(mark).map((fact) => fact.kind)
    assert.ok(!told.includes('leg.held'), 'the hold that was refused is none')
  })

  test('we ask a phone for a session timer, and refresh it by UPDATE when it wants us to', async () => {
    const { wire, contact } = at.phone
    const mark = at.facts.mark
    await using _ = await Sipp.listen({ scenario: 'takes-calls', address, port })
    const started = at.api.give('POST', '/v1/calls', { extension: '100', to: '+74957654321' })
    const invite = await wire.next('INVITE', (message) => message.method === 'INVITE')
    assert.equal(header(invite, 'session-expires'), '1800')
    assert.match(header(invite, 'supported'), /timer/)
    await started
    const lines = [
      `Contact: ${contact}`,
      'Content-Type: application/sdp',
      'Allow: INVITE, ACK, BYE, UPDATE',
      'Session-Expires: 4;refresher=uac',
    ]
    wire.answer(invite, '200 OK', lines, at.phone.sdp())
    const update = await wire.next('UPDATE', (message) => message.method === 'UPDATE')
    assert.match(header(update, 'session-expires'), /^4;refresher=uac/)
    wire.answer(update, '200 OK', [`Contact: ${contact}`, 'Session-Expires: 4;refresher=uac'])
    const again = await wire.next('UPDATE', (message) => message.method === 'UPDATE')
    wire.answer(again, '481 Call/Transaction Does Not Exist')
    const ended = await at.facts.next('leg.ended', (fact) => fact.outcome.kind === 'failed', mark)
    assert.match(ended.outcome.detail ?? '', /^session expired/)
    const bye = await wire.next('BYE', (message) => message.method === 'BYE')
    wire.answer(bye, '200 OK')
  })
})
