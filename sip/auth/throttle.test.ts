import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { DigestUser } from '#sip/agent.ts'
import { DigestClient } from '#sip/auth/client.ts'
import { ha1 } from '#sip/auth/digest.ts'
import { type Admission, AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle, type ShutOut } from '#sip/auth/throttle.ts'
import { buildRequest } from '#sip/message/build.ts'
import { type HeaderLines, SipHeaders } from '#sip/message/headers.ts'

function setUp(capacity = 1000) {
  const clock = new VirtualClock()
  const events: ShutOut[] = []
  return { clock, events, throttle: new GuessThrottle({ clock, onShutOut: (event) => void events.push(event), capacity }) }
}

function guess(throttle: GuessThrottle, address: string, user: string, times: number): number {
  let admitted = 0
  for (let i = 0; i < times; i++) {
    if (!throttle.admits(address, user, 'r')) continue
    admitted++
    throttle.failed(address, user, 'r')
  }
  return admitted
}

test('a source that guesses at one user is shut out from it within ten tries, told once, and let in again later', () => {
  const { clock, events, throttle } = setUp()
  assert.ok(guess(throttle, '192.0.2.1', 'alice', 10_000) <= 10)
  assert.deepEqual(
    events.map(({ kind, who }) => [kind, who]),
    [['pair', 'alice@r 192.0.2.1']],
  )
  assert.ok(throttle.admits('192.0.2.2', 'alice', 'r'))
  clock.advance(events[0]?.forMs ?? 0)
  assert.ok(throttle.admits('192.0.2.1', 'alice', 'r'))
})

test('each time is longer than the one before, until a week has gone without a guess', () => {
  const { clock, events, throttle } = setUp()
  for (const pauseMs of [0, 8 * 24 * 3_600_000, 0]) {
    guess(throttle, '192.0.2.1', 'alice', 100)
    clock.advance((events.at(-1)?.forMs ?? 0) + pauseMs)
  }
  const [first, second, third] = events.map(({ forMs }) => forMs)
  assert.deepEqual([second, third], [2 * (first ?? 0), first])
})

test('going through the users does not help a source', () => {
  const { throttle } = setUp()
  let admitted = 0
  for (let i = 0; i < 100; i++) admitted += guess(throttle, '192.0.2.1', `user${i}`, 1)
  assert.ok(admitted <= 10)
})

test('a user guessed at from many sources is closed to strangers, never to its phone', () => {
  const { events, throttle } = setUp(50_000)
  throttle.succeeded('198.51.100.5', 'alice', 'r')
  let admitted = 0
  for (let i = 0; i < 500; i++) admitted += guess(throttle, `203.0.${i >> 8}.${i & 255}`, 'alice', 20)
  assert.ok(admitted <= 30, String(admitted))
  assert.ok(events.some(({ kind, who }) => kind === 'user' && who === 'alice@r'))
  assert.ok(throttle.admits('198.51.100.5', 'alice', 'r'))
  assert.ok(!throttle.admits('198.51.100.6', 'alice', 'r'))
  assert.ok(throttle.admits('198.51.100.6', 'bob', 'r'))
})

test('a phone behind the same NAT as a guesser stays in, even when it starts without credentials', () => {
  const { throttle } = setUp()
  throttle.succeeded('192.0.2.1', 'alice', 'r')
  guess(throttle, '192.0.2.1', 'bob', 100)
  assert.ok(!throttle.admits('192.0.2.1', 'bob', 'r'))
  assert.ok(throttle.admits('192.0.2.1', 'alice', 'r'))
  assert.ok(throttle.admits('192.0.2.1', 'stranger', 'r'))
})

test('a phone with an old password shuts itself out, and nobody of the office behind the same address', () => {
  const { throttle } = setUp()
  guess(throttle, '192.0.2.1', 'bob', 10_000)
  assert.ok(!throttle.admits('192.0.2.1', 'bob', 'r'))
  // Also one that has not proved itself since the last start of the server.
  assert.ok(throttle.admits('192.0.2.1', 'alice', 'r'))
})

test('slips over a long time are forgiven', () => {
  const { clock, events, throttle } = setUp()
  for (let i = 0; i < 100; i++) {
    guess(throttle, '192.0.2.1', 'alice', 1)
    clock.advance(60_000)
  }
  assert.deepEqual(events, [])
})

test('IPv6 sources count by their /64, mapped IPv4 by its address', () => {
  const { throttle } = setUp()
  for (let i = 0; i < 10; i++) guess(throttle, `2001:db8:0:1::${i.toString(16)}`, `u${i}`, 1)
  assert.ok(!throttle.admits('2001:0db8:0000:0001:ffff::1', 'stranger', 'r'))
  assert.ok(throttle.admits('2001:db8:0:2::1', 'stranger', 'r'))
  guess(throttle, '::ffff:192.0.2.9', 'x', 20)
  assert.ok(!throttle.admits('192.0.2.9', 'x', 'r'))
})

test('memory is bounded: the longest untouched go first', () => {
  const { throttle } = setUp(100)
  guess(throttle, '192.0.2.1', 'x', 20)
  for (let i = 0; i < 200; i++) guess(throttle, `203.0.113.${i}`, `u${i}`, 1)
  assert.ok(throttle.admits('192.0.2.1', 'x', 'r'))
})

const ALICE: DigestUser = { algorithms: ['MD5'], ha1: { MD5: ha1('MD5', 'alice', 'r', 'right') }, identity: { id: 'a', aor: 'alice@r' } }

function setUpGate() {
  const { clock, throttle } = setUp()
  const gate = new AuthGate(new DigestServer({ clock, key: createSecretKey(Buffer.alloc(32)), algorithms: ['MD5'] }), throttle)
  const admit = (address: string, headers: HeaderLines): Admission =>
    gate.admit(buildRequest({ method: 'REGISTER', uri: 'sip:r', headers }), address, 'r', ALICE)
  const attempt = (address: string, password: string): string => {
    const challenge = admit(address, [])
    if (challenge.kind !== 'challenge') return challenge.kind
    const sent = { method: 'REGISTER', uri: 'sip:r', headers: SipHeaders.of([]) }
    const client = new DigestClient({ user: 'alice', password }, countingRandom())
    const answer = client.challenged({ headers: SipHeaders.of(challenge.headers) }, sent, 0)
    assert.ok(answer.kind === 'retry')
    const verdict = admit(address, answer.headers)
    return verdict.kind === 'challenge' ? verdict.cause : verdict.kind
  }
  return { attempt, admit }
}

test('the gate shuts a guesser out, right password or not, and lets the phone through', () => {
  const { attempt } = setUpGate()
  assert.equal(attempt('198.51.100.5', 'right'), 'accepted')
  const seen = Array.from({ length: 20 }, (_, i) => attempt('192.0.2.1', `guess ${i}`))
  assert.deepEqual([seen[0], seen.at(-1)], ['wrong', 'shut-out'])
  assert.equal(attempt('192.0.2.1', 'right'), 'shut-out')
  assert.equal(attempt('198.51.100.5', 'right'), 'accepted')
})

test('who is shut out cannot tell it from the answer to a wrong password', () => {
  const { attempt, admit } = setUpGate()
  const names = (given: Admission) => ('headers' in given ? given.headers.map(([name]) => name) : [])
  const before = names(admit('192.0.2.1', []))
  for (let i = 0; i < 20; i++) attempt('192.0.2.1', `guess ${i}`)
  const headers = [
    ['Authorization', 'Digest username="alice", realm="r", nonce="x", uri="sip:r", response="00000000000000000000000000000000"'],
  ] as const
  const shut = admit('192.0.2.1', headers)
  assert.equal(shut.kind, 'shut-out')
  assert.deepEqual(names(shut), before)
})
