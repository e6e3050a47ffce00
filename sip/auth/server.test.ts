import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { DigestAlgorithm, DigestUser } from '#sip/agent.ts'
import { DigestClient } from '#sip/auth/client.ts'
import { ha1 } from '#sip/auth/digest.ts'
import { NonceMint } from '#sip/auth/nonce.ts'
import { claimOf, DigestServer, type Verdict } from '#sip/auth/server.ts'
import { parseAuthHeader } from '#sip/message/auth-header.ts'
import { buildRequest } from '#sip/message/build.ts'
import { type HeaderLines, SipHeaders } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'

const KEY = createSecretKey(Buffer.alloc(32, 7))
const REALM = 'example.com'

function user(name: string, password: string, algorithms: DigestAlgorithm[] = ['SHA-256', 'MD5']): DigestUser {
  const secrets = { MD5: ha1('MD5', name, REALM, password), 'SHA-256': ha1('SHA-256', name, REALM, password) }
  return { username: name, algorithms, ha1: secrets, identity: { id: name, aor: `${name}@${REALM}` } }
}

const ALICE = user('alice', 'secret')

function setUp(options: { nonceLifeMs?: number; nonceCapacity?: number } = {}) {
  const clock = new VirtualClock()
  return { clock, server: new DigestServer({ clock, key: KEY, algorithms: ['SHA-256', 'MD5'], ...options }) }
}

function register(headers: HeaderLines = [], uri = 'sip:example.com', method = 'REGISTER'): SipRequest {
  return buildRequest({ method, uri, headers })
}

/** The Authorization lines with which a client answers a challenge. */
function answer(verdict: Verdict, name = 'alice', password = 'secret', uri = 'sip:example.com'): HeaderLines {
  assert.equal(verdict.kind, 'challenge')
  const client = new DigestClient({ user: name, password }, countingRandom())
  const challenged = { headers: SipHeaders.of(verdict.kind === 'challenge' ? verdict.headers : []) }
  const reply = client.challenged(challenged, { method: 'REGISTER', uri, headers: SipHeaders.of([]) }, 0)
  assert.ok(reply.kind === 'retry')
  return reply.headers
}

/** A line of credentials with one parameter changed, or left out. */
function altered(lines: HeaderLines, name: string, value: string | undefined): HeaderLines {
  const params = new Map(parseAuthHeader(lines[0]?.[1] ?? '')?.params)
  if (value === undefined) params.delete(name)
  else params.set(name, value)
  return [['Authorization', `Digest ${[...params].map(([key, text]) => `${key}="${text}"`).join(',')}`]]
}

function causeOf(verdict: Verdict): string {
  return verdict.kind === 'challenge' ? verdict.cause : verdict.kind
}

function shapeOf(verdict: Verdict): string {
  return verdict.kind === 'challenge' ? JSON.stringify(verdict.headers).replace(/nonce=\\"[^"]*\\"/g, 'nonce') : verdict.kind
}

test('the right password is accepted once challenged, by the first algorithm offered', () => {
  const { server } = setUp()
  const challenge = server.verify(register(), REALM, ALICE)
  assert.equal(causeOf(challenge), 'absent')
  const lines = answer(challenge)
  assert.match(lines[0]?.[1] ?? '', /algorithm=SHA-256/)
  assert.equal(causeOf(server.verify(register(lines), REALM, ALICE)), 'accepted')
})

test('algorithms and their order are the user’s own, and others are not taken', () => {
  const { server } = setUp()
  const legacy = user('alice', 'secret', ['MD5'])
  const lines = answer(server.verify(register(), REALM, legacy))
  assert.match(lines[0]?.[1] ?? '', /algorithm=MD5/)
  assert.equal(causeOf(server.verify(register(lines), REALM, user('alice', 'secret', ['SHA-256']))), 'wrong')
  assert.equal(causeOf(server.verify(register(lines), REALM, legacy)), 'accepted')
})

test('nothing but the exact credentials for this request is accepted', () => {
  const { server } = setUp()
  const lines = answer(server.verify(register(), REALM, ALICE))
  const forgeries: [name: string, value: string | undefined][] = [
    ['response', '0'.repeat(64)],
    ['response', ''],
    ['response', undefined],
    ['username', 'bob'],
    ['username', undefined],
    ['nonce', 'made.up.nonce'],
    ['nonce', ''],
    ['uri', 'sip:other.example'],
    ['uri', undefined],
    ['nc', '00000002'],
    ['nc', '1'],
    ['nc', undefined],
    ['cnonce', 'x'],
    ['cnonce', undefined],
    ['qop', undefined],
    ['qop', 'auth-int'],
    ['algorithm', 'MD5'],
    ['algorithm', 'none'],
    ['algorithm', undefined],
    ['userhash', 'true'],
  ]
  for (const [name, value] of forgeries) {
    assert.equal(causeOf(server.verify(register(altered(lines, name, value)), REALM, ALICE)), 'wrong', `${name}=${value}`)
  }
  assert.equal(causeOf(server.verify(register(lines, 'sip:example.com', 'INVITE'), REALM, ALICE)), 'wrong')
  assert.equal(causeOf(server.verify(register(lines, 'sip:bob@example.com'), REALM, ALICE)), 'wrong')
  assert.equal(causeOf(server.verify(register(altered(lines, 'realm', 'other')), REALM, ALICE)), 'absent')
  assert.equal(causeOf(server.verify(register(lines), REALM, ALICE)), 'accepted')
})

test('URI parameters that a phone leaves out of its credentials do no harm', () => {
  const { server } = setUp()
  const lines = answer(server.verify(register(), REALM, ALICE))
  assert.equal(causeOf(server.verify(register(lines, 'sip:example.com;transport=tcp'), REALM, ALICE)), 'accepted')
})

test('the same credentials are accepted once; a raised count is accepted, out of order too', () => {
  const clock = new VirtualClock()
  const mint = new NonceMint({ clock, key: KEY })
  const nonce = mint.issue(REALM)
  const counts = [1, 1, 3, 2, 2, 40, 8, 9, 9, 1, 0]
  const uses = counts.map((nc) => mint.use(nonce, REALM, nc))
  assert.deepEqual(uses, [
    'fresh',
    'replayed',
    'fresh',
    'fresh',
    'replayed',
    'fresh',
    'replayed',
    'fresh',
    'replayed',
    'replayed',
    'replayed',
  ])
  const { server } = setUp()
  const lines = answer(server.verify(register(), REALM, ALICE))
  server.verify(register(lines), REALM, ALICE)
  const replay = server.verify(register(lines), REALM, ALICE)
  assert.equal(causeOf(replay), 'replayed')
  assert.match(shapeOf(replay), /stale=true/)
})

test('an old nonce asks the phone to try again and leaves its owner out of it', () => {
  const { clock, server } = setUp({ nonceLifeMs: 60_000 })
  const lines = answer(server.verify(register(), REALM, ALICE))
  clock.advance(60_001)
  const verdict = server.verify(register(lines), REALM, ALICE)
  assert.equal(causeOf(verdict), 'stale')
  assert.match(shapeOf(verdict), /stale=true/)
  assert.equal(causeOf(server.verify(register(answer(verdict)), REALM, ALICE)), 'accepted')
})

test('nonces of another realm, another key and another process life are stale', () => {
  const clock = new VirtualClock()
  const mint = new NonceMint({ clock, key: KEY })
  assert.equal(mint.use(mint.issue('other'), REALM, 1), 'stale')
  assert.equal(mint.use(new NonceMint({ clock, key: createSecretKey(Buffer.alloc(32, 8)) }).issue(REALM), REALM, 1), 'stale')
  for (const text of ['', '.', '..', 'a.b.c', '1.1.', `${mint.issue(REALM)}x`, `0${mint.issue(REALM)}`]) {
    assert.equal(mint.use(text, REALM, 1), 'stale', text)
  }
  assert.ok(mint.isCurrent(mint.issue(REALM), REALM))
})

test('memory for nonces is bounded, and what is forgotten cannot be replayed', () => {
  const clock = new VirtualClock()
  const mint = new NonceMint({ clock, key: KEY, capacity: 100, lifeMs: 1000 })
  const nonces = Array.from({ length: 300 }, () => mint.issue(REALM))
  for (const nonce of nonces) assert.equal(mint.use(nonce, REALM, 1), 'fresh')
  assert.equal(mint.remembered, 100)
  for (const nonce of nonces) assert.notEqual(mint.use(nonce, REALM, 1), 'fresh')
  clock.advance(1001)
  mint.use(mint.issue(REALM), REALM, 1)
  assert.equal(mint.remembered, 1)
})

test('what is forgotten at the end of a nonce’s life cannot be replayed at that very instant', () => {
  const clock = new VirtualClock()
  const mint = new NonceMint({ clock, key: KEY, lifeMs: 1000 })
  const [used, unused] = [mint.issue(REALM), mint.issue(REALM)]
  assert.equal(mint.use(used, REALM, 1), 'fresh')
  clock.advance(1000)
  assert.equal(mint.use(mint.issue(REALM), REALM, 1), 'fresh')
  assert.deepEqual([mint.use(used, REALM, 1), mint.use(unused, REALM, 1)], ['stale', 'stale'])
})

test('unknown users are challenged and refused exactly like known ones', () => {
  const { server } = setUp()
  assert.equal(shapeOf(server.verify(register(), REALM, null)), shapeOf(server.verify(register(), REALM, ALICE)))
  const guess = answer(server.verify(register(), REALM, null), 'nobody', 'secret')
  const [unknown, known] = [server.verify(register(guess), REALM, null), server.verify(register(guess), REALM, user('nobody', 'other'))]
  assert.equal(causeOf(unknown), 'wrong')
  assert.equal(shapeOf(unknown), shapeOf(known))
})

test('the user to look up is the one that the credentials for the realm name', () => {
  const { server } = setUp()
  const lines = answer(server.verify(register(), REALM, ALICE))
  const strange: [string, string] = ['Authorization', 'NoOneKnowsThisScheme opaque-data=here']
  assert.deepEqual(claimOf(register([strange, ...lines]), REALM), { username: 'alice', realm: REALM })
  assert.equal(claimOf(register(lines), 'other'), null)
  assert.equal(claimOf(register([strange]), null), null)
})
