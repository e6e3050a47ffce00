import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { phone, Town } from '#calls/testing.ts'
import type { Fact } from '#contract/facts.ts'
import { LiveCalls } from '#server/calls/live-calls.ts'
import { originate } from '#server/calls/originate.ts'
import { compile } from '#server/config/compile.ts'
import { changed } from '#server/config/testing.ts'
import { Books } from '#server/dialplan/books.ts'
import { Conduct } from '#server/dialplan/conduct.ts'
import { project } from '#server/history/index.ts'
import { Parking } from '#server/features/parking.ts'
import { OutboundGuard } from '#server/outbound/guard.ts'
import { Prompts } from '#server/prompts/prompts.ts'

const nowhere = { arrive: () => undefined, restore: () => false, find: () => null }

function office(callLimit = 10) {
  const town = new Town()
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config: compile(changed({})) })
  const guard = new OutboundGuard({ clock: town.clock, tell: () => undefined, keep: () => undefined, kept: () => undefined })
  const speech = { synthesize: () => Promise.reject(new Error('no voice here')) }
  const prompts = new Prompts({ folder: '/nowhere', speech, lengthOf: () => Promise.resolve(null), log: silentLog })
  const parking = new Parking({ announce: () => Promise.resolve([]) })
  const conduct = new Conduct({
    prompts,
    guard,
    recordingId: () => 'r',
    legReferredTo: () => null,
    parking,
    conferences: nowhere,
    began: () => undefined,
  })
  const needs = { calls: town.needs, books, live: new LiveCalls(), conduct, callLimit }
  return { town, needs, ask: (to: string, extension = '100') => originate(needs, { tenant: 'acme', extension, to }) }
}

/** The row of the only call. */
function rowOf(town: Town) {
  return project(town.facts.map((fact, i): Fact => ({ ...fact, at: 1_000 + i, seq: i + 1 }) as Fact))
}

test('what cannot be begun is refused by name, and rings nobody', () => {
  const { town, ask } = office()
  assert.deepEqual(
    [ask('+37129999999', '999'), ask('12')].map((refused) => 'refused' in refused && refused.refused),
    ['no-such-extension', 'wrong-number'],
  )
  const full = office(0).ask('+37129999999')
  assert.equal('refused' in full && full.refused, 'overloaded')
  assert.equal(town.invites.length, 0)
})

test('a click whose own phone stays unanswered has begun no call and is nobody’s missed call', () => {
  const { town, ask } = office()
  for (const id of ['anna-desk', 'anna-laptop']) town.phones.set(id, { branches: [[phone(id)]] })
  const call = ask('+37129999999')
  assert.ok(!('refused' in call))
  town.invites[0]?.ring()
  town.clock.advance(30_000)
  const row = rowOf(town)
  assert.equal(row?.outcome.kind, 'not-begun')
  assert.equal(row?.missed, false)
  assert.equal(row?.answeredAt, null)
})
