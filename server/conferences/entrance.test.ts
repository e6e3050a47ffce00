import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dial } from '#calls/outbound-leg.ts'
import { type FakeEndpoint, phone, Town } from '#calls/testing.ts'
import { Conferences, type RoomWanted } from '#server/conferences/conferences.ts'
import type { ConferenceWords } from '#server/conferences/conference-voice.ts'
import { Call } from '#calls/call.ts'

const flags = { mutedOnEntry: false, tones: false, music: false, record: false }
const conference = { id: 'weekly', name: 'Weekly', number: '800', pin: '4711', moderatorPin: null, maxMembers: 2, ...flags }
const wanted: RoomWanted = { conference, timeZone: 'Europe/Moscow', music: [] }

function lobby(over: Partial<RoomWanted['conference']> = {}) {
  const town = new Town()
  const said: ConferenceWords[] = []
  const openDoor = () =>
    new Conferences({
      clock: town.clock,
      keep: (key, value) => town.needs.journal.keep(key, value),
      kept: (prefix) => new Map([...town.kept].filter(([key]) => key.startsWith(prefix))),
      secretOf: (_, secret) => (typeof secret === 'string' ? secret : null),
      say: (words) => {
        said.push(words)
        return Promise.resolve([{ kind: 'silence', ms: 100 }])
      },
    })
  let calls = 0
  let conferences = openDoor()
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  const arrive = async () => {
    const id = `10${calls++}`
    const call = new Call(town.needs, { ...town.call().identity, call: `call-${id}` })
    const attempt = dial(call, phone(id), { ringMs: 30_000, onMiss: () => undefined })
    assert.ok('leg' in attempt)
    town.invited(id).answer()
    const { leg } = attempt
    conferences.arrive(call, leg, { ...wanted, conference: { ...conference, ...over } })
    await settle()
    const endpoint = leg.media.endpoint as FakeEndpoint
    return {
      call,
      press: async (keys: string) => {
        for (const key of keys) leg.digit(key, 'rtp')
        await settle()
      },
      /** What is said now has been said. */
      heard: () => {
        for (const play of endpoint.playing.keys()) endpoint.events.onPlayed?.(play, 'ended', 100)
      },
      isIn: () => endpoint.mixed !== null,
    }
  }
  const whys = () => town.factsOf('conference.refused').map(({ why }) => why)
  const reopen = () => void (conferences = openDoor())
  return { town, said, arrive, whys, reopen, room: () => conferences.find('acme', 'weekly') }
}

test('who enters the PIN is in, with a hash or with its last digit', async () => {
  const { town, arrive, said } = lobby()
  const one = await arrive()
  assert.deepEqual([said, one.isIn()], [['pin'], false])
  await one.press('4711')
  assert.ok(one.isIn())
  await one.press('6')
  assert.deepEqual(
    town.factsOf('digit.pressed').map(({ digit }) => digit),
    ['•', '•', '•', '•', '6'],
  )
  const two = await arrive()
  await two.press('47#')
  assert.equal(two.isIn(), false)
  await two.press('4711#')
  assert.ok(two.isIn())
})

test('three wrong ones end the call; the room takes ten a day over all calls, also after a restart, and more the next day', async () => {
  const { town, arrive, whys, reopen } = lobby()
  const guess = async (times: number) => {
    const caller = await arrive()
    for (let n = 0; n < times; n++) await caller.press(`0${n}00`)
    caller.heard()
    return caller.call.outcome?.kind ?? null
  }
  assert.deepEqual([await guess(2), await guess(3), await guess(3)], [null, 'barred', 'barred'])
  reopen()
  assert.equal(await guess(2), 'barred')
  assert.equal(whys().filter((why) => why === 'wrong-pin').length, 10)
  assert.equal(town.factsOf('alarm.raised').length, 1)
  const honest = await arrive()
  await honest.press('4711')
  honest.heard()
  assert.deepEqual([honest.isIn(), honest.call.outcome?.kind, whys().at(-1)], [false, 'barred', 'too-many-tries'])
  town.clock.advance(24 * 3_600_000)
  const next = await arrive()
  await next.press('4711')
  assert.ok(next.isIn())
})

test('tries that others use up while a caller is being asked count for that caller, too', async () => {
  const { arrive } = lobby()
  const waiting = await arrive()
  for (let n = 0; n < 4; n++) {
    const caller = await arrive()
    await caller.press('000100020003')
  }
  await waiting.press('4711')
  assert.equal(waiting.isIn(), false)
})

test('a full room and a locked one send callers away in words; moderators come into the locked one', async () => {
  const { arrive, said, whys, room } = lobby({ moderatorPin: '9911' })
  const one = await arrive()
  await one.press('4711')
  room()?.lock(true)
  const two = await arrive()
  await two.press('4711')
  two.heard()
  assert.deepEqual([said.at(-1), two.call.outcome?.kind], ['locked', 'barred'])
  const host = await arrive()
  await host.press('9911')
  assert.ok(host.isIn())
  const four = await arrive()
  await four.press('9911')
  four.heard()
  assert.deepEqual([said.at(-1), whys()], ['full', ['locked', 'full']])
})

test('with a PIN for moderators alone others come in by hash', async () => {
  const { arrive } = lobby({ pin: null, moderatorPin: '9911' })
  const one = await arrive()
  await one.press('#')
  assert.ok(one.isIn())
})

test('who says nothing is asked three times, and let go', async () => {
  const { town, arrive, said } = lobby()
  const { call, heard } = await arrive()
  for (let n = 0; n < 3; n++) {
    heard()
    await town.clock.advanceAsync(10_000)
  }
  assert.deepEqual([said, call.outcome?.kind], [['pin', 'pin', 'pin'], 'abandoned'])
})
