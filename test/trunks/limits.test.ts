import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { recognise } from '#media/listen/recognise.ts'
import { readSound } from '#media/file/read-sound.ts'
import { claimPort } from '#test/support/ports.ts'
import { header } from '#test/support/wire.ts'
import { acme, AcmeSystem, type Doc, trunk } from '#test/trunks/acme.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const port = await claimPort()
const address = '127.0.0.51'
const national = '84951112233'

const spoken: Doc[] = ['barred', 'capped'].map((id) => ({ kind: 'prompt', id, file: `prompts/${id}.wav` }))
const emergency: Doc = { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['carrier'], callback: 'main' }

function limited(out: Record<string, unknown>, more: Record<string, unknown> = {}): Doc[] {
  const refusal = { barred: ['barred'], capped: ['capped'] }
  return acme(...spoken, emergency, trunk('carrier', address, port, more), {
    kind: 'outbound',
    id: 'out',
    routes: [{ trunks: ['carrier'] }],
    refusal,
    ...out,
  })
}

/** The prompts of the demo company as they are on disk: what a refused caller must have heard. */
async function library(at: AcmeSystem): Promise<Map<string, Int16Array>> {
  const folder = join(at.system.settings.folders.data, 'prompts', 'demo', 'prompts')
  const sounds = await Promise.all(
    ['barred', 'capped'].map(async (id) => {
      const sound = await readSound(join(folder, `${id}.wav`))
      assert.equal(sound.kind, 'sound', (await readFile(join(folder, `${id}.wav`))).length.toString())
      return [id, sound.pcm] as const
    }),
  )
  return new Map(sounds)
}

/** Calls, is told why not in words before 403, and an alarm says so. */
async function isRefused(at: AcmeSystem, dialled: string, prompt: string, rule: string): Promise<void> {
  const mark = at.facts.mark
  at.phone.ear.forget()
  const call = await at.phone.call(dialled)
  assert.equal(call.status, 403)
  assert.ok(at.phone.wire.received.some((message) => message.status === 183 && header(message, 'call-id') === call.callId))
  const refused = await at.facts.next('call.refused', () => true, mark)
  assert.deepEqual([refused.rule, refused.sip], [rule, 403])
  const { outcome } = await at.facts.next('call.ended', (fact) => fact.call === refused.call, mark)
  assert.deepEqual([outcome.kind, outcome.by], ['barred', 'us'])
  const heard = recognise(at.phone.ear.pcm, await library(at)).map((each) => each.prompt)
  assert.deepEqual(heard, [prompt])
  assert.ok(at.facts.of('alarm.raised').some((fact) => fact.rule === rule))
}

async function emergencyPasses(at: AcmeSystem, carrier: Sipp): Promise<void> {
  const mark = at.facts.mark
  const call = await at.phone.call('112')
  assert.equal(call.status, 200)
  const alarm = await at.facts.next('alarm.raised', (fact) => fact.rule === 'emergency-call', mark)
  assert.equal(alarm.severity, 'critical')
  const started = await at.facts.next('leg.started', (fact) => fact.endpoint.kind === 'trunk', mark)
  await call.bye()
  await at.facts.next('call.ended', (fact) => fact.call === started.call, mark)
  const [invite] = await carrier.requests('INVITE', started.sip)
  assert.ok(invite)
  assert.match(invite.first, /^INVITE sip:112@/)
  assert.match(header(invite, 'from'), /<sip:\+74950000100@/)
}

test('what may not be dialled is refused in words and raises an alarm; an emergency number passes every limit', {
  skip: withoutSipp,
}, async (t) => {
  await using carrier = await Sipp.listen({ scenario: 'takes-calls', address, port })
  await using at = await AcmeSystem.start(limited({}))
  await at.phone.register()

  await t.test('a class that is barred', async () => {
    await isRefused(at, '88091234567', 'barred', 'barred-class')
  })
  await t.test('a prefix that is barred, and 112 although everything is', async () => {
    await at.apply(
      limited({ barredPrefixes: ['+7495'], permissions: { local: false, national: false, mobile: false, 'toll-free': false } }),
    )
    await isRefused(at, national, 'barred', 'barred-prefix')
    await emergencyPasses(at, carrier)
  })
  await t.test('more than can be spent in a day', async () => {
    await at.apply(limited({ rates: [{ class: 'national', perMinute: 5 }], caps: { company: { spendPerDay: 4 } } }))
    await isRefused(at, national, 'capped', 'spend-cap')
    await emergencyPasses(at, carrier)
  })
  await t.test('the last minute that the day pays is announced to the phone, over a carrier that says nothing', async () => {
    const caps = { company: { spendPerDay: 4, whenSpent: 'announce' } }
    await at.apply(limited({ rates: [{ class: 'national', perMinute: 4 }], caps }))
    at.phone.ear.forget()
    const call = await at.phone.call(national)
    assert.equal(call.status, 200)
    await at.phone.ear.sound(1_500)
    await call.bye()
  })
  await t.test('more calls at once than allowed, with every channel taken', async () => {
    await at.apply(limited({ caps: { device: { concurrentCalls: 1 } } }, { channels: 1 }))
    const holding = await at.phone.call(national)
    assert.equal(holding.status, 200)
    await isRefused(at, national, 'capped', 'concurrency-cap')
    await emergencyPasses(at, carrier)
    await holding.bye()
  })
  await t.test('more calls a minute than allowed', async () => {
    await at.apply(limited({ caps: { company: { callsPerMinute: 1 } } }))
    await isRefused(at, national, 'capped', 'rate-cap')
    await emergencyPasses(at, carrier)
  })
})
