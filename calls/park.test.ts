import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLeg } from '#calls/inbound-leg.ts'
import { Park } from '#calls/park.ts'
import { audio, FakeIncoming, phone, Town } from '#calls/testing.ts'
import type { EndpointRef } from '#contract/facts.ts'

const parker: EndpointRef = { kind: 'device', id: '100', number: '100' }

/** A caller from outside who waits in slot 701. */
function parked(more: { goesOn?: boolean; by?: EndpointRef | null } = {}) {
  const town = new Town()
  town.phones.set('100', { branches: [[phone('100')]] })
  const { call, incoming, inbound } = town.calledIn()
  inbound.answer()
  const heard: string[] = []
  const by = more.by === undefined ? parker : more.by
  const music = [{ kind: 'file', file: 'music.wav' } as const]
  const terms = { slot: '701', by, music, waitMs: 60_000, goesOn: more.goesOn ?? false }
  const park = new Park(call, inbound.leg, terms, {
    onFetched: (party, other) => void heard.push(`${party.endpoint.id} with ${other.endpoint.id}`),
    onForgotten: (party) => void heard.push(`${party.endpoint.id} goes on`),
    onFree: () => void heard.push('free'),
  })
  const [ears] = town.endpoints
  assert.ok(ears !== undefined && incoming.dialog !== null)
  const fetches = (id: string) => {
    const opened = openLeg(call, new FakeIncoming(audio('sendrecv', 42_000)), {
      endpoint: { kind: 'device', id, number: id },
      role: 'callee',
    })
    assert.ok('leg' in opened)
    opened.answer()
    return opened.leg
  }
  return { town, call, park, heard, ears, caller: incoming.dialog, fetches }
}

test('a parked caller hears music until somebody fetches them; the slot is free first', () => {
  const { town, park, heard, ears, fetches } = parked()
  assert.equal(ears.playing.size, 1)
  const by = fetches('101')
  assert.equal(park.fetch(by), true)
  assert.equal(ears.playing.size, 0)
  assert.deepEqual(heard, ['free', 'carrier with 101'])
  assert.deepEqual(town.factsOf('call.parked')[0]?.by, '100')
  const [unparked] = town.factsOf('call.unparked')
  assert.deepEqual([unparked?.slot, unparked?.why, unparked?.by], ['701', 'picked-up', by.id])
  assert.equal(park.fetch(by), false, 'only once')
  assert.equal(town.clock.pending, 0)
})

test('who parked a call that nobody fetches is rung, and has it back', () => {
  const { town, heard, ears } = parked()
  town.clock.advance(60_000)
  town.invited('100').ring()
  assert.equal(ears.playing.size, 1, 'the caller goes on hearing music')
  town.invited('100').answer()
  assert.deepEqual(heard, ['free', 'carrier with 100'])
  assert.equal(town.factsOf('call.unparked')[0]?.why, 'returned')
})

test('while it rings at who parked it, another may fetch it: that phone is told so', () => {
  const { town, park, heard, fetches } = parked()
  town.clock.advance(60_000)
  town.invited('100').ring()
  assert.equal(park.fetch(fetches('101')), true)
  assert.match(town.invited('100').cancelled ?? '', /elsewhere/)
  assert.deepEqual(heard, ['free', 'carrier with 101'])
})

test('a call not taken back goes where the company wants it; without such a place it waits on and rings again', () => {
  const one = parked({ goesOn: true })
  one.town.clock.advance(80_000)
  assert.deepEqual(one.heard, ['free', 'carrier goes on'])
  assert.equal(one.town.factsOf('call.unparked')[0]?.why, 'timeout')
  assert.equal(one.call.outcome, null)
  const other = parked()
  other.town.clock.advance(80_000 + 60_000)
  assert.deepEqual([other.heard, other.town.invites.length], [[], 2])
})

test('what the API parked rings nobody; a caller who hangs up frees the slot and ends the call', () => {
  const { town, call, heard, caller } = parked({ by: null })
  town.clock.advance(130_000)
  assert.equal(town.invites.length, 0)
  caller.peerHangsUp()
  assert.deepEqual([heard, town.factsOf('call.unparked')[0]?.why, call.outcome?.kind], [['free'], 'left', 'answered'])
  assert.equal(town.clock.pending, 0)
})
