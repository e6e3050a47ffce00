import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countingRandom } from '#base/ids.ts'
import { type ChallengeAnswer, DigestClient, MAX_CHALLENGE_ANSWERS } from '#sip/auth/client.ts'
import { parseAuthHeader } from '#sip/message/auth-header.ts'
import { type HeaderLines, SipHeaders } from '#sip/message/headers.ts'

const INVITE = { method: 'INVITE', uri: 'sip:+15551234567@carrier.example' }

function client(realms?: string[]): DigestClient {
  return new DigestClient({ user: 'trunk', password: 'secret', realms }, countingRandom())
}

function challenge(...values: string[]): { headers: SipHeaders } {
  return { headers: SipHeaders.of(values.map((value) => ['WWW-Authenticate', `Digest ${value}`])) }
}

/** Asks for an answer to a challenge of a request that carried `sent`. */
function ask(from: DigestClient, response: { headers: SipHeaders }, sent: HeaderLines = [], answered = 0): ChallengeAnswer {
  return from.challenged(response, { ...INVITE, headers: SipHeaders.of(sent) }, answered)
}

function retried(answer: ChallengeAnswer): HeaderLines {
  assert.ok(answer.kind === 'retry', JSON.stringify(answer))
  return answer.headers
}

function param(lines: HeaderLines, name: string, index = 0): string | undefined {
  return parseAuthHeader(lines[index]?.[1] ?? '')?.params.get(name)
}

const PLAIN = 'realm="r", nonce="n1", qop="auth", algorithm=MD5'

test('of several algorithms the first that we know is answered (RFC 8760 §2.4)', () => {
  const lines = retried(
    ask(
      client(),
      challenge('realm="r", nonce="n", algorithm=SHA3-9, qop="auth"', 'realm="r", nonce="n", algorithm=SHA-256, qop="auth"', PLAIN),
    ),
  )
  assert.equal(lines.length, 1)
  assert.equal(param(lines, 'algorithm'), 'SHA-256')
})

test('a server that knows no qop gets the old reckoning, without count and cnonce', () => {
  const lines = retried(ask(client(), challenge('realm="r", nonce="n1", opaque="o"')))
  assert.deepEqual(
    ['qop', 'nc', 'cnonce', 'algorithm', 'opaque'].map((name) => param(lines, name)),
    [undefined, undefined, undefined, undefined, 'o'],
  )
  assert.match(param(lines, 'response') ?? '', /^[0-9a-f]{32}$/)
})

test('a realm that is not ours gets nothing', () => {
  assert.deepEqual(ask(client(['carrier']), challenge(PLAIN)), { kind: 'give-up', why: 'realm' })
  assert.equal(ask(client(['carrier', 'r']), challenge(PLAIN)).kind, 'retry')
})

test('what we cannot reckon is given up', () => {
  for (const value of ['realm="r", nonce="n", algorithm=X', 'realm="r", nonce="n", qop="other"', 'realm="r"', 'nonce="n"']) {
    assert.deepEqual(ask(client(), challenge(value)), { kind: 'give-up', why: 'unsupported' }, value)
  }
  assert.deepEqual(ask(client(), { headers: SipHeaders.of([['WWW-Authenticate', 'Basic realm="r"']]) }), {
    kind: 'give-up',
    why: 'unsupported',
  })
})

test('a server that was started again does not know the nonce we remember: its new challenge is answered, once', () => {
  const ours = client()
  retried(ask(ours, challenge(PLAIN)))
  const remembered = ours.authorise({ method: 'REGISTER', uri: 'sip:example.com' })
  const anew = retried(ask(ours, challenge(PLAIN.replace('n1', 'n2')), remembered, 0))
  assert.match(anew[0]?.[1] ?? '', /nonce="n2"/)
  assert.deepEqual(ask(ours, challenge(PLAIN.replace('n1', 'n3')), anew, 1), { kind: 'give-up', why: 'rejected' })
})

test('refused credentials are not sent again', () => {
  const ours = client()
  const lines = retried(ask(ours, challenge(PLAIN)))
  assert.deepEqual(ask(ours, challenge(PLAIN.replace('n1', 'n2')), lines, 1), { kind: 'give-up', why: 'rejected' })
  assert.deepEqual(ours.authorise(INVITE), [])
})

test('a stale nonce is replaced, but a peer that keeps asking is left', () => {
  const ours = client()
  let lines = retried(ask(ours, challenge(PLAIN)))
  const stale = challenge(`${PLAIN.replace('n1', 'n2')}, stale=TRUE`)
  lines = retried(ask(ours, stale, lines, 1))
  assert.equal(param(lines, 'nonce'), 'n2')
  assert.deepEqual(ask(ours, stale, lines, MAX_CHALLENGE_ANSWERS), { kind: 'give-up', why: 'limit' })
})

test('later requests carry credentials at once, the count raised and the cnonce new', () => {
  const ours = client()
  const first = retried(ask(ours, challenge(PLAIN)))
  const second = ours.authorise({ ...INVITE, method: 'BYE' })
  assert.deepEqual([param(first, 'nc'), param(second, 'nc')], ['00000001', '00000002'])
  assert.notEqual(param(first, 'cnonce'), param(second, 'cnonce'))
  assert.equal(second[0]?.[0], 'Authorization')
})

test('nextnonce takes the place of the nonce', () => {
  const ours = client()
  retried(ask(ours, challenge(PLAIN)))
  ours.learn({ headers: SipHeaders.of([['Authentication-Info', 'qop=auth, nextnonce="n9", rspauth="x"']]) })
  const lines = ours.authorise(INVITE)
  assert.deepEqual([param(lines, 'nonce'), param(lines, 'nc')], ['n9', '00000001'])
})

test('a proxy and a server may both ask, one after the other or together', () => {
  const ours = client()
  const both = {
    headers: SipHeaders.of([
      ['WWW-Authenticate', `Digest ${PLAIN}`],
      ['Proxy-Authenticate', `Digest ${PLAIN.replace('"r"', '"p"')}`],
    ]),
  }
  assert.deepEqual(
    retried(ask(ours, both)).map(([name]) => name),
    ['Authorization', 'Proxy-Authorization'],
  )
  const chain = client()
  const first = retried(ask(chain, { headers: SipHeaders.of([['Proxy-Authenticate', `Digest ${PLAIN}`]]) }))
  const second = retried(ask(chain, challenge(PLAIN), first, 1))
  assert.deepEqual(second.map(([name]) => name).sort(), ['Authorization', 'Proxy-Authorization'])
})

test('nothing in a challenge can break out of the answer', () => {
  const lines = retried(ask(client(), challenge('realm="a\\" , b=\\"", nonce="n\\\\", qop="auth"')))
  assert.deepEqual([param(lines, 'realm'), param(lines, 'nonce'), param(lines, 'b')], ['a" , b="', 'n\\', undefined])
})
