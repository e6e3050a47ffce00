import assert from 'node:assert/strict'
import { test } from 'node:test'
import { header } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { acme, AcmeSystem, type Doc } from '#test/trunks/acme.ts'

const password = 'correct horse battery'
const payloads = { PCMU: '0 PCMU/8000', PCMA: '8 PCMA/8000', G722: '9 G722/8000' } as const
type Offered = keyof typeof payloads

const phone = (id: string, codecs?: string[]): Doc[] => [
  { kind: 'device', id, username: id, password, algorithms: ['MD5'], ...(codecs !== undefined && { codecs }) },
  { kind: 'extension', id, number: id, target: { device: id } },
]

/** The company allows G722 and PCMA, in that order. */
const documents: Doc[] = acme(...phone('101'), ...phone('102', ['PCMU', 'PCMA', 'G722'])).map((document) =>
  document.kind === 'company' ? { ...document, codecs: ['G722', 'PCMA'] } : document,
)

/** A phone that speaks these. */
async function speaking(at: AcmeSystem, user: string, ...codecs: Offered[]): Promise<WirePhone> {
  const one = await WirePhone.open({ user, domain: 'acme.test', password }, at.sip)
  const plain = one.sdp()
  one.sdp = () =>
    plain
      .replace(/^m=audio (\d+) .*$/m, `m=audio $1 RTP/AVP ${codecs.map((codec) => payloads[codec].split(' ')[0]).join(' ')} 101`)
      .replace(/^a=rtpmap:8 .*$/m, codecs.map((codec) => `a=rtpmap:${payloads[codec]}`).join('\r\n'))
  assert.equal((await one.register()).status, 200)
  return one
}

/** Names of the codecs in a description, in order. */
const codecsIn = (sdp: string): string[] => {
  const types = /^m=audio \d+ \S+ (.*)$/m.exec(sdp)?.[1]?.trim().split(' ') ?? []
  const names = new Map([...sdp.matchAll(/^a=rtpmap:(\d+) ([A-Za-z0-9]+)\//gm)].map(([, type, name]) => [type, name]))
  return types.flatMap((type) => names.get(type) ?? []).filter((name) => name !== 'telephone-event')
}

test('answers and offers keep to the list of the company and its order; a device has its own order, and a codec nobody allows is refused', async () => {
  await using at = await AcmeSystem.start(documents)
  await using caller = await speaking(at, '101', 'PCMU', 'PCMA', 'G722')
  await using callee = await speaking(at, '102', 'PCMA')
  const ringing = callee.wire.next('INVITE', ({ method }) => method === 'INVITE')
  const calling = caller.call('102')
  const invite = await ringing
  assert.deepEqual(codecsIn(invite.body), ['G722', 'PCMA'], 'first what the caller speaks already; PCMU is not allowed')
  callee.wire.answer(invite, '200 OK', [`Contact: ${callee.contact}`, 'Content-Type: application/sdp'], callee.sdp())
  const call = await calling
  assert.deepEqual([call.status, codecsIn(call.message.body)], [200, ['G722']])
  await call.bye()
  const bye = await callee.wire.next('BYE', ({ method }) => method === 'BYE')
  callee.wire.answer(bye, '200 OK')

  await using other = await speaking(at, '102', 'PCMU', 'G722', 'PCMA')
  const back = other.call('101')
  const second = await caller.wire.next('INVITE', ({ method }) => method === 'INVITE')
  assert.deepEqual(codecsIn(second.body), ['PCMA', 'G722'], 'the caller’s phone has PCMA before G722')
  caller.wire.answer(second, '486 Busy Here', [`Contact: ${caller.contact}`])
  assert.equal((await back).status, 486)

  await using lonely = await speaking(at, '101', 'PCMU')
  const refused = await lonely.call('102')
  assert.equal(refused.status, 488)
  assert.match(refused.message.first, /no common codec/)
  assert.equal(header(refused.message, 'content-type'), '')
  const wrong = documents.map((document) =>
    document.id === '102' && document.kind === 'device' ? { ...document, codecs: ['PCMU'] } : document,
  )
  const answer = await at.api.ask('PUT', '/v1/configuration', { documents: wrong })
  assert.equal(answer.status, 422)
  assert.match(answer.text, /no codec is left: the company allows G722, PCMA, and this has PCMU/)
})
