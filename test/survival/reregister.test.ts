import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api } from '#test/support/api.ts'
import { RunningSystem } from '#test/system/running-system.ts'
import { PhoneFleet } from '#tools/lib/phone-fleet.ts'

const domain = 'fleet.example'
const password = 'correct horse battery'
const users = Array.from({ length: 10_000 }, (_, i) => String(10_000 + i))

const documents: readonly unknown[] = [
  { kind: 'company', id: 'fleet', name: 'Fleet', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: [domain] },
  ...users.map((user) => ({ kind: 'device', id: `phone-${user}`, username: user, password, algorithms: ['MD5'] })),
]

test('ten thousand phones that register at once when the server has died are all back, and none is refused for good', async (t) => {
  await using system = await RunningSystem.start()
  const api = await Api.of(system.settings, 'page')
  await api.give('PUT', '/v1/configuration', { documents })
  await using fleet = await PhoneFleet.open({
    ...{ server: { address: '127.0.0.1', port: system.settings.sip.port }, domain, expires: 3_600 },
    phones: users.map((user) => ({ user, password })),
    addresses: Array.from({ length: 20 }, (_, i) => `127.0.40.${i + 1}`),
  })
  const tell = (what: string, { ms, failed }: Awaited<ReturnType<PhoneFleet['comeBack']>>): void => {
    t.diagnostic(`${what}: all were there after ${(ms / 1_000).toFixed(1)} s ${JSON.stringify(failed)}`)
    // Who has no time says so, or nothing at all; a phone that is told anything else would show its person that it may not register.
    assert.deepEqual(
      Object.keys(failed).filter((why) => !['503', 'unanswered', 'unavailable'].includes(why)),
      [],
    )
  }
  tell('at first', await fleet.comeBack())
  process.kill(await system.pidOf('server'), 'SIGKILL')
  tell('after the death of the server', await fleet.comeBack())
  const { http } = system.settings
  const figures = await (await fetch(`http://${http.address}:${http.port}/metrics`)).text()
  assert.equal(/^centrala_registrations (\d+)/m.exec(figures)?.[1], String(users.length))
})
