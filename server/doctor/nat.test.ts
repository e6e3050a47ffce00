import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeConfigured, judgeSights, type Known, type Sight } from '#server/doctor/nat.ts'

const inside: Known = { configured: null, own: new Set(['127.0.0.1', '10.0.0.5']), port: 5_060 }
const seen = (host: string, port: number): Sight => ({
  server: 'stun.example',
  sightings: [{ kind: 'seen', at: { host, port }, other: null }],
})

/** check, state and what is said. */
const told = (known: Known, ...sights: Sight[]): string[] =>
  judgeSights(known, sights).map(({ check, state, detail, todo }) => `${check} ${state}: ${detail} | ${todo}`)

test('a machine with the address that is seen needs nothing', () => {
  const known = { ...inside, own: new Set(['203.0.113.7']) }
  assert.deepEqual(told(known, seen('203.0.113.7', 5_060)), [
    'public address well: STUN servers see 203.0.113.7, as this machine has it | ',
    'NAT well: none: SIP port 5060 is seen as 203.0.113.7:5060 | ',
  ])
})

test('behind a NAT the address that is missing or wrong is named, with the setting', () => {
  const [missing] = told(inside, seen('203.0.113.7', 5_060))
  assert.match(
    missing ?? '',
    /^public address bad: STUN servers see 203\.0\.113\.7, .* is not set \| Set CENTRALA_PUBLIC_ADDRESS=203\.0\.113\.7 /,
  )
  const [wrong] = told({ ...inside, configured: '203.0.113.8' }, seen('203.0.113.7', 5_060))
  assert.match(wrong ?? '', /^public address bad: CENTRALA_PUBLIC_ADDRESS is 203\.0\.113\.8, but STUN servers see 203\.0\.113\.7 \| Set /)
  const [right] = told({ ...inside, configured: '203.0.113.7' }, seen('203.0.113.7', 5_060))
  assert.equal(right, 'public address well: STUN servers see 203.0.113.7, as is configured | ')
})

test('the kind of NAT is told from two answers: one port for all peers, or one for each', () => {
  const behind = { ...inside, configured: '203.0.113.7' }
  const nat = (...sights: Sight[]): string => told(behind, ...sights)[1] ?? ''
  assert.match(nat(seen('203.0.113.7', 5_060)), /^NAT well: of which kind, one server cannot tell/)
  assert.match(nat(seen('203.0.113.7', 5_060), seen('203.0.113.7', 5_060)), /^NAT well: it keeps one port for all peers .* unchanged/)
  assert.match(
    nat(seen('203.0.113.7', 40_001), seen('203.0.113.7', 40_001)),
    /^NAT warning: it keeps one port .*seen as 40001 \| Forward UDP port 5060/,
  )
  assert.match(
    nat(seen('203.0.113.7', 40_001), seen('203.0.113.7', 40_002)),
    /^NAT warning: it gives another port to each peer \(symmetric\)/,
  )
})

test('a server that says nothing is told, and what is configured is judged alone', () => {
  const silent: Sight = { server: 'stun.example', sightings: [{ kind: 'unseen', why: 'no answer' }] }
  const findings = told(inside, silent)
  assert.match(findings[0] ?? '', /^public address warning: this machine has private addresses only/)
  assert.match(findings[1] ?? '', /^STUN warning: stun\.example: no answer \| Check the name/)
  assert.equal(told(inside, silent, seen('203.0.113.7', 5_060)).length, 3)
})

test('without servers the settings are judged by themselves', () => {
  const state = (configured: string | null, ...own: string[]): string =>
    judgeConfigured({ configured, own: new Set(own), port: 5_060 }).state
  assert.equal(state('192.168.1.2', '192.168.1.2'), 'warning')
  assert.equal(state('203.0.113.7', '10.0.0.5'), 'well')
  assert.equal(state(null, '203.0.113.7'), 'well')
  assert.equal(state(null, '10.0.0.5'), 'warning')
})
