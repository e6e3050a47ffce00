import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { Call } from '#calls/call.ts'
import { Town } from '#calls/testing.ts'
import { compile } from '#server/config/compile.ts'
import { changed } from '#server/config/testing.ts'
import { Conduct } from '#server/dialplan/conduct.ts'
import { decideFromTrunk } from '#server/dialplan/decide.ts'
import { Parking } from '#server/features/parking.ts'
import { OutboundGuard } from '#server/outbound/guard.ts'
import { Prompts } from '#server/prompts/prompts.ts'

const nowhere = { arrive: () => undefined, restore: () => false, find: () => null }

/** A caller in the company's flow, listening to its first words. */
async function listening(changes: Parameters<typeof changed>[0] = {}) {
  const town = new Town()
  const config = compile(changed(changes))
  const guard = new OutboundGuard({ clock: town.clock, tell: () => undefined, keep: () => undefined, kept: () => undefined })
  const speech = { synthesize: () => Promise.resolve('hello.wav') }
  const prompts = new Prompts({ folder: '/sounds', speech, lengthOf: () => Promise.resolve(5_000), log: silentLog })
  await prompts.prepare('acme', config)
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
  const { call, incoming, inbound } = town.calledIn()
  const route = decideFromTrunk(config, 'one', ['+37160000100'])
  conduct.begin(call, inbound, { route, config, dialled: '+37160000100', direction: 'inbound', clock: town.clock })
  return { town, call, incoming, inbound, conduct, config }
}

test('who hangs up while the company’s greeting plays has not been answered by anybody', async () => {
  const { call, incoming, inbound } = await listening()
  assert.equal(inbound.leg.state, 'talking')
  incoming.dialog?.peerHangsUp()
  assert.deepEqual(call.outcome, { kind: 'abandoned', by: 'caller' })
  assert.equal(inbound.leg.outcome?.kind, 'answered')
})

test('whoever is held hears the music of the number they called, and others that of the company', async () => {
  const { town, call, conduct, config } = await listening({
    'company acme': { musicOnHold: ['hello'] },
    'prompt waltz': { file: 'waltz.wav' },
    'number direct': { musicOnHold: ['waltz'] },
  })
  const rules = conduct.rules({ config, direction: 'inbound', dialled: '' })
  const heardBy = (called: string): unknown => rules.music(new Call(town.needs, { ...call.identity, called }))
  assert.deepEqual(heardBy('+37160000102'), [{ kind: 'file', file: '/sounds/acme/waltz.wav' }])
  assert.deepEqual(heardBy('+37160000100'), [{ kind: 'file', file: 'hello.wav' }])
})
