import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { ConfigDocument } from '#contract/documents/document.ts'
import type { Hours } from '#contract/documents/hours.ts'
import type { NewFact } from '#contract/facts.ts'
import { deskChecks } from '#server/config/check-desks.ts'
import { compile } from '#server/config/compile.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import { featureOf } from '#server/config/features.ts'
import { mayDo, mayReach } from '#server/desks/may-reach.ts'
import { decideInside, type Route } from '#server/dialplan/decide.ts'
import { HotDesks } from '#server/desks/hot-desks.ts'
import { seated } from '#server/desks/seating.ts'
import { Books } from '#server/dialplan/books.ts'

const documents = (...more: ConfigDocument[]): ConfigDocument[] => [
  {
    ...{ kind: 'company', id: 'acme', name: 'Acme', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: ['acme.test'] },
    hotDesk: { hours: 10, untilClosed: 'office' },
  },
  { kind: 'hours', id: 'office', weekly: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '18:00' }] },
  { kind: 'person', id: 'anna', name: 'Anna', pin: '4711', callerId: '+442079460001', pickupGroups: ['sales'] },
  { kind: 'person', id: 'ben', name: 'Ben', pin: '8822' },
  { kind: 'device', id: 'anna-own', username: 'anna', person: 'anna', withhold: true },
  { kind: 'device', id: 'lobby', username: 'lobby', shared: true },
  { kind: 'device', id: 'attic', username: 'attic', shared: true, name: 'Attic' },
  { kind: 'extension', id: '100', number: '100', target: { person: 'anna' } },
  { kind: 'extension', id: '101', number: '101', target: { person: 'ben' } },
  { kind: 'extension', id: '150', number: '150', target: { device: 'lobby' } },
  ...more,
]

/** A Tuesday, 12:00. */
const noon = Date.UTC(2026, 10, 24, 12)

function company(kept = new Map<string, unknown>(), clock = new VirtualClock(noon)) {
  const told: string[] = []
  const books: Books = new Books(silentLog, (tenant, config) => seated(config, desks.seatsOf(tenant)))
  const desks = new HotDesks({
    clock,
    journal: {
      keep: (key, value) => void (value === null ? kept.delete(key) : kept.set(key, value)),
      kept: (prefix) => new Map([...kept].filter(([key]) => key.startsWith(prefix))),
      whenKept: (then) => then(),
    },
    tell: (fact: NewFact) => {
      if (fact.kind === 'desk.logged-in') told.push(`${fact.extension} in at ${fact.device}`)
      else if (fact.kind === 'desk.logged-out') told.push(`${fact.extension} out at ${fact.device}: ${fact.why}`)
      else if (fact.kind === 'desk.refused') told.push(`${fact.extension} refused: ${fact.why}`)
      else if (fact.kind === 'alarm.raised') told.push(fact.rule)
    },
    configOf: (tenant) => books.current(tenant)?.config ?? null,
    secretOf: (_tenant, secret) => (typeof secret === 'string' ? secret : null),
    onSeated: (tenant) => books.reseat(tenant),
  })
  const take = (version = 1, set = documents()): void => books.take({ tenant: 'acme', version, config: compile(set) })
  take()
  const phone = (id: string) => {
    const device = books.current('acme')?.config.devices.get(id)
    assert.ok(device !== undefined)
    return device
  }
  const login = (device: string, extension: string): void => {
    const person = desks.personOf('acme', extension)
    assert.ok(person !== null)
    desks.login({ tenant: 'acme', device: phone(device), person, extension }, 'phone')
  }
  const enter = (device: string, extension: string, pin: string) => desks.check('acme', device, { extension, pin })
  return { desks, books, take, told, clock, kept, phone, login, enter }
}

test('a phone is whoever’s logs in: name, extension, number outside, groups, what their own phone may; all that ends with the login', () => {
  const { desks, books, phone, login } = company()
  const before = phone('lobby')
  login('lobby', '100')
  const { name, person, extensions, callerId, pickupGroups, withhold } = phone('lobby')
  assert.deepEqual(
    [name, person?.id, extensions.map(({ number }) => number), callerId, [...pickupGroups], withhold],
    ['Anna', 'anna', ['100', '150'], '+442079460001', ['sales'], true],
  )
  const config = books.current('acme')?.config
  assert.deepEqual(
    config?.devicesByPerson.get('anna')?.map(({ id }) => id),
    ['anna-own', 'lobby'],
  )
  assert.equal(config.devicesByUsername.get('lobby'), phone('lobby'))
  desks.logout('acme', 'lobby', 'phone')
  assert.deepEqual(phone('lobby'), before)
})

test('logging in elsewhere ends the login before, and whoever else was there is logged out', () => {
  const { login, told } = company()
  login('lobby', '100')
  login('attic', '100')
  login('attic', '101')
  assert.deepEqual(told, ['100 in at lobby', '100 out at lobby: moved', '100 in at attic', '100 out at attic: replaced', '101 in at attic'])
})

test('a login ends when the company closes or after its hours, whichever is first', () => {
  const { login, told, clock, desks } = company()
  login('lobby', '100')
  clock.advance(6 * 3_600_000 - 1)
  assert.equal(desks.of('acme').length, 1)
  clock.advance(1)
  assert.equal(told.at(-1), '100 out at lobby: expired')
  login('lobby', '100')
  clock.advance(10 * 3_600_000)
  assert.equal(told.at(-1), '100 out at lobby: expired', 'it was closed already, so the hours count')
  assert.equal(clock.pending, 0)
})

/** When a login of `since` ends, in UTC, for a phone shared until `office` closes; whoever waits sees a year of it. */
function endsAt(since: string, office: Partial<Hours>, timezone = 'UTC'): string | null {
  const set = documents().map((each): ConfigDocument => {
    if (each.kind === 'company') return { ...each, timezone, hotDesk: { untilClosed: 'office' } }
    return each.kind === 'hours' ? { ...each, ...office } : each
  })
  const { login, take, clock, desks } = company(new Map(), new VirtualClock(Date.parse(since)))
  take(2, set)
  login('lobby', '100')
  const step = 30 * 60_000
  for (let steps = 0; steps < 365 * 48; steps++) {
    clock.advance(step - 1)
    if (desks.of('acme').length === 0) return `within the half hour before ${new Date(clock.wall() + 1).toISOString()}`
    clock.advance(1)
    if (desks.of('acme').length === 0) return new Date(clock.wall()).toISOString().slice(0, 16)
  }
  return null
}
const weekly: Hours['weekly'] = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '17:00' }]

test('a login made while it is closed ends when it closes next, however far that is', () => {
  assert.equal(endsAt('2026-11-27T18:00Z', { weekly }), '2026-11-30T17:00', 'Friday evening')
  assert.equal(endsAt('2026-11-28T10:00Z', { weekly }), '2026-11-30T17:00', 'Saturday')
  assert.equal(endsAt('2026-11-30T07:00Z', { weekly }), '2026-11-30T17:00', 'before it opens')
  const christmas = [{ name: 'Christmas', date: '12-24', until: '01-08' }]
  assert.equal(endsAt('2026-12-23T18:00Z', { weekly, holidays: christmas }), '2027-01-11T17:00')
  const summer = [{ name: 'Summer', date: '2026-06-01', until: '2026-09-30' }]
  assert.equal(endsAt('2026-06-01T09:00Z', { weekly, exceptions: summer }), '2026-10-01T17:00')
  assert.equal(endsAt('2026-11-27T18:00Z', { weekly: [] }), null, 'always closed')
  const always: Hours['weekly'] = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '00:00' }]
  assert.equal(endsAt('2026-11-27T18:00Z', { weekly: always }), null, 'always open')
  const stocktaking = [{ name: 'Stocktaking', date: '2027-05-03' }]
  assert.equal(endsAt('2026-11-27T18:00Z', { weekly: always, exceptions: stocktaking }), '2027-05-03T00:00')
})

test('a closing is found to the minute: after a short break, over midnight, and where the clocks change', () => {
  const days: Hours['weekly'][number]['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
  const lunch = [
    { days, from: '08:00', to: '12:00' },
    { days, from: '12:05', to: '17:00' },
  ]
  assert.equal(endsAt('2026-11-27T11:00Z', { weekly: lunch }), '2026-11-27T12:00')
  const night = [{ days, from: '22:00', to: '02:30' }]
  assert.equal(endsAt('2026-11-27T22:30Z', { weekly: night }), '2026-11-28T02:30')
  // In Riga 03:00 is followed by 04:00 in the night to 2026-03-29, and the hour from 03:00 comes twice in that to 2026-10-25.
  const inside = [{ days, from: '22:00', to: '03:30' }]
  assert.equal(endsAt('2026-03-28T21:00Z', { weekly: inside }, 'Europe/Riga'), '2026-03-29T01:00')
  assert.equal(endsAt('2026-10-24T21:00Z', { weekly: inside }, 'Europe/Riga'), '2026-10-25T00:30')
})

test('a server that comes back after a weekend ends a login whose closing it missed', () => {
  const friday = Date.parse('2026-11-27T19:00Z')
  const first = company(new Map(), new VirtualClock(friday))
  first.login('lobby', '100')
  first.desks.close()
  const back = company(new Map(first.kept), new VirtualClock(Date.parse('2026-12-01T08:00Z')))
  back.take(
    2,
    documents().map((each) => (each.kind === 'company' ? { ...each, hotDesk: { untilClosed: 'office' } } : each)),
  )
  back.desks.restore()
  back.clock.advance(0)
  assert.deepEqual(back.told, ['100 out at lobby: expired'])
})

test('logins outlive the server, and those whose time ran out meanwhile end when it is back', () => {
  const first = company()
  first.login('lobby', '100')
  first.login('attic', '101')
  first.desks.close()
  const soon = company(new Map(first.kept), new VirtualClock(noon + 60_000))
  soon.desks.restore()
  assert.deepEqual([soon.phone('lobby').person?.id, soon.phone('attic').person?.id, soon.told], ['anna', 'ben', []])
  const late = company(new Map(first.kept), new VirtualClock(noon + 24 * 3_600_000))
  late.desks.restore()
  late.clock.advance(0)
  assert.deepEqual([late.phone('lobby').person, late.desks.of('acme')], [null, []])
})

test('a person or a phone that is no longer there is logged out when the configuration says so', () => {
  const { login, told, take, desks } = company()
  login('lobby', '100')
  login('attic', '101')
  take(
    2,
    documents().filter(({ id }) => id !== 'attic'),
  )
  desks.examine('acme')
  assert.deepEqual(told.slice(2), ['101 out at attic: removed'])
  assert.equal(desks.at('acme', 'lobby')?.person, 'anna')
})

test('PINs are not guessed: ten wrong ones a day for an extension, thirty at a phone, and then no right one is taken either', () => {
  const { enter, told, desks, clock } = company()
  assert.ok('person' in enter('lobby', '100', '4711'))
  for (let tries = 1; tries <= 10; tries++) assert.deepEqual(enter('lobby', '100', '0000'), { refused: 'wrong-pin' })
  assert.equal(told.filter((each) => each === 'pin-guessing').length, 1)
  assert.deepEqual(enter('attic', '100', '4711'), { refused: 'too-many-tries' })
  assert.ok('person' in enter('lobby', '101', '8822'))
  for (let tries = 1; tries <= 20; tries++) assert.deepEqual(enter('lobby', String(200 + tries), '0000'), { refused: 'unknown' })
  assert.equal(desks.isClosed('acme', 'lobby'), true)
  assert.deepEqual(enter('lobby', '101', '8822'), { refused: 'too-many-tries' })
  clock.advance(24 * 3_600_000)
  assert.ok('person' in enter('lobby', '100', '4711'))
  assert.ok(!told.join().includes('4711') && !told.join().includes('0000'))
})

test('who enters their PIN where the extension belongs has told it to nobody', () => {
  const { enter, told, kept } = company()
  for (let tries = 1; tries <= 30; tries++) assert.deepEqual(enter('lobby', '4711', '8822'), { refused: 'unknown' })
  assert.deepEqual(enter('lobby', '4711', '8822'), { refused: 'too-many-tries' })
  assert.deepEqual([...new Set(told)], [' refused: unknown', 'pin-guessing', ' refused: too-many-tries'])
  assert.deepEqual([...kept.keys()], ['desk-phone-tries/acme/lobby'])
})

test('nobody logged in: the company says whom the phone reaches; emergency numbers and the code to log in always', () => {
  const what = (loggedOut: 'emergency' | 'internal' | 'all'): string => {
    const config = compile(documents().map((each) => (each.kind === 'company' ? { ...each, hotDesk: { loggedOut } } : each)))
    const device = config.devices.get('lobby')
    assert.ok(device !== undefined)
    const routes = (['112', '100', '02079460000'] as const).filter((dialled) => mayReach(config, device, routeOf(config, dialled)))
    const codes = (['*11', '*8'] as const).filter((dialled) => {
      const feature = featureOf(config.settled.features, dialled)
      return feature !== null && mayDo(config, device, feature)
    })
    return [...routes, ...codes].join(' ')
  }
  const routeOf = (config: CompiledConfig, dialled: string): Route =>
    dialled === '112' ? { kind: 'emergency', number: dialled } : decideInside(config, dialled)
  assert.deepEqual([what('emergency'), what('internal'), what('all')], ['112 *11', '112 100 *11 *8', '112 100 02079460000 *11 *8'])
})

test('a shared phone has no person, PINs can be entered, and what it shows in an emergency is the company’s', () => {
  const rules = (...more: ConfigDocument[]) => deskChecks(documents(...more)).map(({ rule, severity }) => `${severity} ${rule}`)
  assert.deepEqual(rules(), [])
  assert.deepEqual(rules({ kind: 'device', id: 'x', username: 'x', shared: true, person: 'anna' }), ['error shared-phone'])
  assert.deepEqual(rules({ kind: 'person', id: 'x', name: 'X', pin: '12' }), ['error bad-pin'])
  assert.deepEqual(rules({ kind: 'person', id: 'x', name: 'X', pin: '1234' }), ['warning idle-pin'])
  assert.deepEqual(rules({ kind: 'device', id: 'x', username: 'x', emergencyCallerId: '+442079460009' }), ['error foreign-number'])
})
