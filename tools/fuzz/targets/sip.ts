import assert from 'node:assert/strict'
import { buildResponse } from '#sip/message/build.ts'
import { checkRequest } from '#sip/message/check.ts'
import { answerMalformed } from '#sip/message/malformed.ts'
import type { SipMessage } from '#sip/message/message.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { serialize } from '#sip/message/serialize.ts'
import { formatUri, parseUri } from '#sip/message/uri.ts'
import { stampedVia } from '#sip/message/via.ts'
import { sipSeeds } from '#tools/fuzz/seeds.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const ABILITIES = {
  methods: ['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE'],
  extensions: [],
  accept: { INVITE: ['application/sdp'] },
  schemes: ['sip', 'tel'],
}
const SOURCE = { address: '192.0.2.9', port: 5060 }

const more = [
  'REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:5060;rport;branch=z9hG4bKa\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:a@x>\r\nCall-ID: 1\r\nCSeq: 2 REGISTER\r\nContact: *\r\nExpires: 0\r\nAuthorization: Digest username="a", realm="x", nonce="n", uri="sip:x", response="0", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\r\nPath: <sip:p@y;lr>\r\nReason: SIP;cause=200;text="Call completed elsewhere", Q.850;cause=16\r\nEvent: dialog;id=1\r\nRetry-After: 5 (busy);duration=3\r\nContent-Length: 0\r\n\r\n',
  'SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/TCP x;branch=z9hG4bKa;received=192.0.2.1;rport=9\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\nFrom: "Ж" <sip:a@x>;tag=1\r\nTo: <tel:+1-555>;tag=2\r\nCall-ID: 1\r\nCSeq: 2 REGISTER\r\nWWW-Authenticate: Digest realm="x", nonce="n", qop="auth,auth-int", stale=true\r\nContent-Length: 0\r\n\r\n',
]

/** Parsing a datagram, reading every typed header, answering it, and what was parsed surviving the way out and in again. */
export const sipTarget: FuzzTarget = {
  name: 'sip',
  seeds: () => [...sipSeeds(), ...more.map((text) => Buffer.from(text))],
  run(bytes) {
    const message = parseMessage(bytes)
    if (message.kind === 'malformed') {
      assert.ok(message.offset >= 0 && message.offset <= bytes.length, `offset ${message.offset}`)
      const answer = answerMalformed(message, 'tag')
      if (answer !== null) serialize(answer)
      return `${message.rule} ${answer === null ? 'unanswered' : answer.status}`
    }
    const read = readEverything(message)
    const out = serialize(message)
    const back = parseMessage(out)
    assert.ok(back.kind !== 'malformed', back.kind === 'malformed' ? `does not survive: ${back.rule}` : '')
    assert.ok(serialize(back).equals(out), 'changes on its second way out')
    return `${message.kind} ${message.kind === 'request' ? answerTo(message) : ''} ${read}`
  },
}

function answerTo(request: Extract<SipMessage, { kind: 'request' }>): number {
  const { headers } = request
  const line = headers.lines('via')[0] ?? ''
  headers.replaceFirst('via', stampedVia(line, headers.via, SOURCE))
  const status = checkRequest(request, ABILITIES)?.status ?? 200
  const answer = parseMessage(serialize(buildResponse(request, status, undefined, { toTag: 'tag' })))
  assert.ok(answer.kind === 'response', answer.kind === 'malformed' ? `our answer is malformed: ${answer.rule}` : '')
  assert.equal(answer.headers.via.received ?? answer.headers.via.host, SOURCE.address)
  return status
}

/** Asks for every typed view; tells which are there. */
function readEverything({ headers }: SipMessage): string {
  const { via, from, to, cseq, callId, contacts, routes, recordRoutes, maxForwards, expires, contentType, require, supported } = headers
  assert.ok([via, from, to, cseq, callId].every((value) => value !== undefined))
  for (const address of [from, to, ...(contacts === '*' ? [] : contacts), ...routes, ...recordRoutes]) {
    assert.ok(parseUri(formatUri(address.parsed)) !== undefined, `a URI does not survive: ${address.uri}`)
  }
  const others = [
    headers.retryAfter,
    headers.event,
    headers.reasons[0],
    headers.auth('authorization')[0],
    headers.auth('www-authenticate')[0],
  ]
  const lists = [
    headers.vias.length > 1,
    contacts === '*',
    contacts.length > 1,
    routes.length > 0,
    recordRoutes.length > 1,
    require.length,
    supported.length,
  ]
  const flags = [...others, maxForwards, expires, contentType].map((value) => value !== undefined)
  return [...flags, ...lists].map((value) => (value ? 1 : 0)).join('')
}
