import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DeskView } from '#contract/api/desks.ts'
import { FactLog } from '#test/support/fact-log.ts'
import { claimPort } from '#test/support/ports.ts'
import { until } from '#test/support/sounds.ts'
import { header, Wire } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { Watcher } from '#test/presence/watcher.ts'
import { acme, AcmeSystem, type Doc, trunk } from '#test/trunks/acme.ts'

const password = 'correct horse battery'
const carrierAddress = '127.0.0.61'
const carrierPort = await claimPort()
let at: AcmeSystem
let carrier: Wire
let lobby: WirePhone
let attic: WirePhone

const desk = (id: string, more: object): Doc[] => [
  { kind: 'device', id, username: id, password, algorithms: ['MD5'], shared: true, ...more },
]

before(async () => {
  at = await AcmeSystem.start(
    acme(
      trunk('carrier', carrierAddress, carrierPort),
      { kind: 'outbound', id: 'out', routes: [{ trunks: ['carrier'] }] },
      { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['carrier'], callback: 'main' },
      { kind: 'number', id: 'anna-direct', number: '+74950000107', target: { extension: '107' } },
      { kind: 'number', id: 'lobby-line', number: '+74950000109', target: { extension: '100' } },
      { kind: 'person', id: 'anna', name: 'Anna', callerId: '+74950000107', pin: '4711' },
      { kind: 'extension', id: '107', number: '107', target: { person: 'anna' } },
      ...desk('lobby', { location: 'Building 2, ground floor', emergencyCallerId: '+74950000109' }),
      ...desk('attic', {}),
    ),
  )
  carrier = await Wire.open(at.sip, carrierAddress, carrierPort)
  const open = (user: string): Promise<WirePhone> => WirePhone.open({ user, domain: 'acme.test', password }, at.sip)
  ;[lobby, attic] = [await open('lobby'), await open('attic')]
  for (const phone of [at.phone, lobby, attic]) assert.equal((await phone.register()).status, 200)
})
after(async () => {
  await Promise.all([lobby, attic, carrier].map((each) => each[Symbol.asyncDispose]()))
  await at[Symbol.asyncDispose]()
})

const desks = async (): Promise<(string | null)[]> =>
  (await at.api.get<{ desks: DeskView[] }>('/v1/desks')).desks.map(({ login }) => login?.extension ?? null)

/** What the carrier is asked when a phone dials out; then it refuses. */
async function dialsOut(phone: WirePhone, number: string): Promise<{ from: string; asserted: string }> {
  const calling = phone.call(number)
  const invite = await carrier.next('INVITE', ({ method }) => method === 'INVITE')
  carrier.answer(invite, '486 Busy Here')
  await calling
  return { from: header(invite, 'from'), asserted: header(invite, 'p-asserted-identity') }
}

/** Logs in by the code; resolves when the phone was told how it went. */
async function logsIn(phone: WirePhone, ...keys: string[]): Promise<void> {
  const call = await phone.call(keys[0] ?? '*11')
  assert.equal(call.status, 200)
  for (const each of keys.slice(1)) await call.press(each)
  await call.ended()
}

test('a phone at which nobody is logged in reaches colleagues and who helps, as itself; the world it does not, and is told why', async () => {
  const mark = at.facts.mark
  lobby.ear.forget()
  const barred = await lobby.call('84951112233')
  assert.equal(barred.status, 200)
  await lobby.ear.sound(200)
  await barred.ended()
  assert.equal((await at.facts.next('call.ended', () => true, mark)).outcome.kind, 'barred')

  const answering = at.phone.answered()
  const inside = await lobby.call('100')
  assert.equal(inside.status, 200)
  await inside.bye()
  await (await answering).ended()

  const { from, asserted } = await dialsOut(lobby, '112')
  assert.match(`${from} ${asserted}`, /74950000109/)
  const alarm = await at.facts.next('alarm.raised', ({ rule }) => rule === 'emergency-call', mark)
  assert.match(alarm.detail, /Building 2, ground floor/)
})

test('whoever logs in has the phone: it rings for them, calls as them, and its lamp is theirs; the PIN is in no fact', async () => {
  const mark = at.facts.mark
  using lamp = await Watcher.subscribe(at.phone, 'dialog', '107')
  await logsIn(lobby, '*11107', '4712#', '4711#')
  const told = await at.facts.next('desk.logged-in', () => true, mark)
  assert.deepEqual([told.device, told.person, told.extension, told.by], ['lobby', 'anna', '107', 'phone'])
  assert.deepEqual(await desks(), ['107', null])

  const answering = lobby.answered()
  const call = await at.phone.call('107')
  assert.equal(call.status, 200)
  await lamp.until(/<state>confirmed<\/state>/)
  await call.bye()
  await (await answering).ended()
  const { from, asserted } = await dialsOut(lobby, '84951112233')
  assert.match(`${from} ${asserted}`, /74950000107/)
  const emergency = await dialsOut(lobby, '112')
  assert.match(`${emergency.from} ${emergency.asserted}`, /74950000109/, 'help comes to where the phone is')

  const facts = JSON.stringify(at.facts.facts.slice(mark))
  // Not as a part of an id or an instant, where any four digits may come together.
  assert.doesNotMatch(facts, /(?<![0-9a-f])471[12](?![0-9a-f])/)
  assert.equal((await at.facts.next('desk.refused', () => true, mark)).why, 'wrong-pin')
})

test('the login outlives the death of the server; logging in elsewhere moves it; the code and the API log out', async () => {
  const from = at.system.lines.length
  process.kill(await at.system.pidOf('server'), 'SIGKILL')
  await at.system.line(/serves again\s+process=server/, from)
  await until('the server answers', async () => (await desks().catch(() => [])).length === 2)
  assert.deepEqual(await desks(), ['107', null])

  using facts = await FactLog.open(at.api)
  await logsIn(attic, '*11', '107#', '4711#')
  assert.deepEqual(await desks(), [null, '107'])
  assert.equal((await facts.next('desk.logged-out')).why, 'moved')
  const out = await attic.call('*12')
  assert.equal(out.status, 200)
  await out.ended()
  assert.deepEqual(await desks(), [null, null])
  const nobody = await at.phone.call('107')
  assert.equal(nobody.status, 480)

  await at.api.give('PUT', '/v1/desks/lobby/login', { extension: '107' })
  assert.deepEqual(await desks(), ['107', null])
  await at.api.give('DELETE', '/v1/desks/lobby/login')
  assert.equal((await at.api.ask('DELETE', '/v1/desks/lobby/login')).status, 409)
  assert.equal((await at.api.ask('PUT', '/v1/desks/desk/login', { extension: '107' })).status, 404)
  const refused = await at.api.ask('PUT', '/v1/desks/lobby/login', { extension: '107', pin: '1' })
  assert.deepEqual([refused.status, (refused.body as { detail: string }).detail], [403, 'The PIN is not right.'])
  assert.equal((await at.api.ask('PUT', '/v1/desks/lobby/login', { extension: '100' })).status, 400)
})
