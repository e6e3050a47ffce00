import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api, callPair, caughtUp, documents, lostIn, password, peopled, talking } from '#test/survival/company.ts'
import { Wire } from '#test/support/wire.ts'
import { RunningSystem } from '#test/system/running-system.ts'

test('asked to end, it cuts no call, takes no new one, and ends with the last', { timeout: 180_000 }, async () => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '60' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 5)
  const from = system.lines.length
  const exited = system.stop()
  await system.line(/ending\s+how=drain/, from)
  const health = () => fetch(`http://127.0.0.1:${system.settings.http.port}/health/ready`).then((response) => response.status)
  while ((await health()) === 200) await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(callPair(town, 30), /^Error: 503/)
  await caughtUp(pairs)
  assert.equal(lostIn(pairs), 0)
  beat[Symbol.dispose]()
  for (const { caller } of pairs) caller.dialog?.bye()
  for (const { callee } of pairs) assert.equal((await callee.untilEnded()).kind, 'bye')
  assert.equal(await exited, 0)
})

test('asked to end, it waits no longer than it was told to', { timeout: 180_000 }, async () => {
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '1' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  const { pairs, beat } = await talking(town, 2)
  beat[Symbol.dispose]()
  assert.equal(await system.stop(), 0)
  for (const { caller, callee } of pairs) {
    assert.equal((await caller.untilEnded()).kind, 'bye')
    assert.equal((await callee.untilEnded()).kind, 'bye')
  }
})

test('asked to end, it takes an emergency call all the same', { timeout: 180_000 }, async () => {
  // As long as a slow machine may need to get the call there; it ends with its last call.
  await using system = await RunningSystem.start({ CENTRALA_DRAIN_SECONDS: '60' })
  const api = await Api.of(system)
  await using town = await peopled(system, api, 'udp')
  await using carrier = await Wire.open({ address: '127.0.0.1', port: system.settings.sip.port })
  const trunk = { kind: 'trunk', id: 'carrier', host: '127.0.0.1', port: carrier.port, healthSeconds: 0 }
  const number = { kind: 'number', id: 'main', number: '+442079460000', target: { extension: '2000' } }
  const emergency = { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['carrier'] }
  await api.ask('PUT', '/v1/configuration', { documents: [...documents(), trunk, number, emergency] })
  const { pairs, beat } = await talking(town, 1)
  beat[Symbol.dispose]()
  const exited = system.stop()
  await system.line(/ending\s+how=drain/)
  const called = assert.rejects(town.call('1001', password, '1-1-2'))
  const invite = await carrier.next('emergency call', ({ method }) => method === 'INVITE')
  assert.match(invite.first, /^INVITE sip:112@/)
  carrier.answer(invite, '486 Busy Here')
  for (const { caller } of pairs) caller.dialog?.bye()
  assert.equal(await exited, 0)
  await called
})
