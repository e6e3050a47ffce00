import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bridge } from '#calls/bridge.ts'
import { dial } from '#calls/outbound-leg.ts'
import { audio, type FakeEndpoint, phone, Town, trunk } from '#calls/testing.ts'

/** Somebody talks with an outside number, on whom money is spent: `from` a phone of the company or outside, too. */
async function spending(from: 'phone' | 'outside') {
  const town = new Town()
  let warn = (): void => assert.fail('nothing was charged')
  const lease = () => ({
    answered: (_end: unknown, told: () => void) => void (warn = told),
    passedOver: () => undefined,
    [Symbol.dispose]: () => undefined,
  })
  const near = from === 'phone' ? phone('100') : trunk('other', '+371')
  const { call } = town.calledIn()
  const one = dial(call, near, { ringMs: 30_000, onMiss: () => undefined })
  const nearDialog = town.invited(near.endpoint.kind === 'device' ? '100' : '+371.other').answer()
  const two = dial(call, trunk('carrier', '+372', { lease }), { ringMs: 30_000, onMiss: () => undefined })
  const farDialog = town.invited('+372.carrier').answer()
  assert.ok('leg' in one && 'leg' in two)
  const events = { onParted: () => undefined, onReferral: () => undefined, onReplaced: () => undefined }
  new Bridge(call, [one.leg, two.leg], [{ kind: 'file', file: 'music.wav' }], events)
  const [, nearEnd, farEnd] = town.endpoints as [FakeEndpoint, FakeEndpoint, FakeEndpoint]
  const heard = async () => {
    warn()
    await Promise.resolve().then(() => undefined)
    return [nearEnd, farEnd].map((end) => [...end.playing.values()].flat().map((item) => (item.kind === 'file' ? item.file : item.kind)))
  }
  return { heard, two, nearDialog, farDialog }
}

test('the phone that pays hears that a minute is left, and whoever is outside does not', async () => {
  const { heard } = await spending('phone')
  assert.deepEqual(await heard(), [['last-minute.wav'], []])
})

test('nobody outside is told of the company’s money', async () => {
  const { heard } = await spending('outside')
  assert.deepEqual(await heard(), [[], []])
})

test('a phone on hold goes on hearing its music, and a call that is over is told nothing', async () => {
  const held = await spending('phone')
  held.farDialog.peerOffers(audio('sendonly', 41_000))
  assert.deepEqual((await held.heard())[0], ['music.wav'])
  const over = await spending('phone')
  over.two.leg.hangUp({ kind: 'completed', by: 'callee' })
  assert.deepEqual(await over.heard(), [[], []])
})
