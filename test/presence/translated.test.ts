import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '#test/support/sounds.ts'
import { acme, AcmeSystem } from '#test/trunks/acme.ts'

/** What a phone behind an address translation knows of itself. */
const inside = '<sip:100@10.9.8.7:5060>'

let at: AcmeSystem
before(async () => void (at = await AcmeSystem.start(acme(), { CENTRALA_SIP_NAT_KEEP_ALIVE_SECONDS: '1' })))
after(() => at[Symbol.asyncDispose]())

test('a phone behind an address translation is asked again and again whether it is there, over the way that it registered by', async () => {
  const { phone } = at
  const asked: string[] = []
  const answers = phone.wire.onRequest
  phone.wire.onRequest = (request) => {
    if (request.method === 'OPTIONS') asked.push(request.first)
    return answers(request)
  }
  const register = (life: number) =>
    phone.request('REGISTER', 'sip:acme.test', { to: `<${phone.aor}>`, headers: [`Contact: ${inside};expires=${life}`] })
  assert.equal((await register(300)).status, 200)
  await until('it is asked three times', async () => asked.length >= 3)
  for (const line of asked) assert.match(line, /^OPTIONS sip:100@10\.9\.8\.7:5060 /)
  assert.equal((await register(0)).status, 200)
})
