import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Abilities, checkRequest, isOurResponse } from '#sip/message/check.ts'
import { StreamFramer } from '#sip/message/framing.ts'
import { answerMalformed } from '#sip/message/malformed.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { serialize } from '#sip/message/serialize.ts'
import { isAcceptable, tortureCases } from '#test/conformance/torture.ts'

const SERVED: Abilities = {
  methods: ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'MESSAGE', 'INFO'],
  extensions: [],
  accept: { INVITE: ['application/sdp'] },
  schemes: ['sip', 'sips', 'tel'],
}

/** What a user agent server that grants everything would answer; null for silence. */
function answerTo(bytes: Buffer): number | null {
  const message = parseMessage(bytes)
  if (message.kind === 'malformed') return answerMalformed(message, 'ours')?.status ?? null
  // No request of ours is waiting, so every response is dropped.
  if (message.kind === 'response') return null
  if (message.method === 'REGISTER') return checkRequest(message, SERVED)?.status ?? 401
  return checkRequest(message, SERVED)?.status ?? 404
}

for (const { name, bytes, ok } of tortureCases('rfc4475')) {
  test(`RFC 4475 ${name} over UDP is answered ${ok.join(' or ')}`, () => {
    assert.ok(isAcceptable(answerTo(bytes), ok), String(answerTo(bytes)))
  })
}

for (const { name, bytes, ok } of tortureCases('rfc5118')) {
  test(`RFC 5118 ${name} is answered ${ok.join(' or ')}`, () => {
    assert.ok(isAcceptable(answerTo(bytes), ok), String(answerTo(bytes)))
  })
}

for (const { name, bytes, ok, frames, after } of tortureCases('rfc4475', 'rfc4475-tcp-oracle.json')) {
  test(`RFC 4475 ${name} over TCP is answered ${ok.join(' or ')} and the connection is then ${after}`, () => {
    const framer = new StreamFramer()
    const found = framer.push(bytes)
    const [first] = found
    const status = first === undefined || first.kind === 'ping' ? null : first.kind === 'message' ? answerTo(first.bytes) : first.status
    const end = found.at(-1)?.kind === 'refused' ? 'closed' : framer.pendingBytes > 0 ? 'waits' : 'open'
    assert.ok(isAcceptable(status, ok), String(status))
    assert.deepEqual({ frames: found.length, after: end }, { frames, after })
  })
}

test('the broadcast response of RFC 4475 is told apart by its second Via', () => {
  const message = parseMessage(caseOf('bcast'))
  assert.equal(message.kind, 'response')
  assert.equal(message.kind === 'response' && isOurResponse(message.headers), false)
})

test('each message of RFC 4475 that parses is the same after serialising and parsing again', () => {
  for (const { name, bytes } of tortureCases('rfc4475')) {
    const first = parseMessage(bytes)
    if (first.kind === 'malformed') continue
    const second = parseMessage(serialize(first))
    assert.ok(second.kind !== 'malformed', name)
    assert.equal(second.kind, first.kind, name)
    assert.deepEqual(serialize(second), serialize(first), name)
    for (const header of ['via', 'from', 'to', 'contact', 'call-id', 'cseq', "extensionHeader-!.%*+_`'~"]) {
      assert.deepEqual(second.headers.all(header), first.headers.all(header), name)
    }
    assert.deepEqual(Buffer.from(second.body), Buffer.from(first.body), name)
  }
})

test('the intermixed message keeps its control characters in quoted pairs and its UTF-8', () => {
  const message = parseMessage(caseOf('intmeth'))
  assert.equal(message.kind, 'request')
  if (message.kind !== 'request') return
  assert.equal(message.headers.to.display, 'BEL:\x07 NUL:\0 DEL:\x7f')
  assert.equal(message.headers.from.params.get("fromparam''~+*_!.-%"), '"работающий"')
  const uri = message.headers.to.parsed
  assert.equal(uri.kind === 'sip' && uri.host, 'example.com')
})

test('the wide-spaced INVITE reads like a tidy one', () => {
  const message = parseMessage(caseOf('wsinv'))
  assert.equal(message.kind, 'request')
  if (message.kind !== 'request') return
  const { headers } = message
  assert.equal(headers.to.tag, '1918181833n')
  assert.equal(headers.from.display, 'J Rosenberg \\"')
  assert.equal(headers.maxForwards, 68)
  assert.deepEqual(headers.cseq, { seq: 9, method: 'INVITE' })
  assert.deepEqual(
    headers.vias.map((via) => [via.transport, via.host, via.branch]),
    [
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ],
  )
  assert.equal(headers.contact?.display, 'Quoted string ""')
  assert.equal(headers.contact?.params.get('q'), '0.33')
})

function caseOf(name: string): Buffer {
  const found = tortureCases('rfc4475').find((entry) => entry.name === name)
  assert.ok(found)
  return found.bytes
}
