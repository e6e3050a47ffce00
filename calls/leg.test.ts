import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type InboundLeg, openInbound } from '#calls/inbound-leg.ts'
import { dial } from '#calls/outbound-leg.ts'
import { audio, FakeIncoming, phone, Town } from '#calls/testing.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const hung = { kind: 'completed', by: 'us' } as const

test('a caller hears 180, then the 2xx with our SDP once the facts are on disk', () => {
  const town = new Town()
  const { incoming, inbound } = town.calledIn()
  town.diskTakes = false
  inbound.ring()
  inbound.ring()
  assert.deepEqual(incoming.progressed, [180])
  let answered = false
  inbound.answer(() => void (answered = true))
  assert.equal(inbound.leg.state, 'answering')
  assert.equal(incoming.accepted, null)
  town.flush()
  assert.match(incoming.accepted ?? '', /m=audio 20000 RTP\/AVP 8/)
  assert.equal(answered, true)
  assert.deepEqual(town.story, ['leg.started', 'leg.ringing', 'leg.answered'])
})

test('a call that talks holds on to no INVITE', async () => {
  const town = new Town()
  const answered = (): { inbound: InboundLeg; invite: WeakRef<object> } => {
    const { incoming, inbound } = town.calledIn()
    inbound.ring()
    inbound.answer()
    return { inbound, invite: new WeakRef(incoming.request) }
  }
  // The first: the last may still stand on the stack or in a register.
  const [first] = [answered(), answered()]
  // Until the end of a turn a WeakRef holds what it was made of.
  await nextTurn()
  collect()
  assert.equal(first.inbound.leg.state, 'talking')
  assert.equal(first.invite.deref(), undefined)
})

test('a caller who cancels while the facts are on their way to disk gets no 2xx', () => {
  const town = new Town()
  const { incoming, inbound } = town.calledIn()
  town.diskTakes = false
  inbound.answer()
  incoming.onCancelled(null)
  town.flush()
  assert.equal(incoming.accepted, null)
  assert.equal(inbound.leg.outcome?.kind, 'cancelled')
  assert.equal(town.endpoints[0]?.closed, true)
})

test('audio before the answer needs an offer, and comes as 183', () => {
  const with183 = new Town().calledIn()
  assert.equal(with183.inbound.early(), true)
  assert.deepEqual(with183.incoming.progressed, [183])
  const offerless = new Town().calledIn(null)
  assert.equal(offerless.inbound.early(), false)
  offerless.inbound.answer()
  assert.match(offerless.incoming.accepted ?? '', /m=audio/)
})

test('a call that can have no audio is refused before anybody rings', () => {
  const town = new Town()
  const video = {
    contentType: 'application/sdp',
    bytes: Buffer.from('v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=video 4 RTP/AVP 31\r\n'),
  }
  for (const [body, status] of [
    [video, 488],
    [{ contentType: 'text/plain', bytes: Buffer.from('hello') }, 415],
  ] as const) {
    const incoming = new FakeIncoming(body)
    const call = town.call()
    assert.equal(openInbound(call, incoming, call.identity.asker), null)
    assert.equal(incoming.rejected, status)
    assert.equal(call.outcome?.sip, status)
  }
  assert.ok(town.endpoints.every((endpoint) => endpoint.closed))
})

test('without a free port a caller gets 503', () => {
  const town = new Town()
  town.ports = 0
  const incoming = new FakeIncoming(audio('sendrecv', 4_000))
  const call = town.call()
  assert.equal(openInbound(call, incoming, call.identity.asker), null)
  assert.equal(incoming.rejected, 503)
  assert.equal(call.outcome?.kind, 'overloaded')
})

test('ending a leg says what its state asks for: refuse, cancel or BYE, and closes its port once', () => {
  const refused = new Town().calledIn()
  refused.inbound.leg.hangUp({ kind: 'busy', by: 'callee' })
  assert.equal(refused.incoming.rejected, 486)
  const talking = new Town().calledIn()
  talking.inbound.answer()
  talking.inbound.leg.hangUp(hung)
  talking.inbound.leg.hangUp(hung)
  assert.equal(talking.incoming.dialog?.ended, null)
  const town = new Town()
  const attempt = dial(town.call(), phone('100'), { ringMs: 1_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  attempt.leg.hangUp(hung)
  assert.equal(town.invited('100').cancelled, null)
  assert.equal(town.endpoints[0]?.closed, true)
  assert.equal(town.factsOf('leg.ended').length, 1)
})

test('the phone that is rung is offered the caller’s codec first, and an answer without audio ends its leg', () => {
  const town = new Town()
  const { call, inbound } = town.calledIn()
  const missed: string[] = []
  const attempt = dial(call, phone('100'), { near: inbound.leg, ringMs: 1_000, onMiss: (miss) => void missed.push(miss.outcome.kind) })
  assert.ok('leg' in attempt)
  assert.match(Buffer.from(town.invited('100').spec.body?.bytes ?? []).toString(), /RTP\/AVP 8 0/)
  const dialog = town.invited('100').answer(null)
  assert.deepEqual(missed, ['failed'])
  assert.equal(dialog.acknowledged, 1)
  assert.equal(dialog.ended, null)
})

test('a phone that puts us on hold and takes us back is a fact each, told once', () => {
  const town = new Town()
  const { incoming, inbound } = town.calledIn()
  inbound.answer()
  const held: boolean[] = []
  inbound.leg.onHold.on((on) => void held.push(on))
  assert.match(String(incoming.dialog?.peerOffers(audio('sendonly', 40_000))), /a=recvonly/)
  incoming.dialog?.peerOffers(audio('sendonly', 40_000))
  incoming.dialog?.peerOffers(audio('sendrecv', 40_000))
  assert.deepEqual(held, [true, false])
  assert.deepEqual(town.story.slice(-2), ['leg.held', 'leg.resumed'])
  assert.equal(incoming.dialog?.peerOffers({ contentType: 'text/plain', bytes: Buffer.from('x') }), 415)
  assert.equal(inbound.leg.state, 'talking', 'an offer that was refused leaves the call as it was')
})

test('keys come as audio events or as INFO, and each is a fact', () => {
  const town = new Town()
  const { incoming, inbound } = town.calledIn()
  inbound.answer()
  town.endpoints[0]?.events.onDigit?.('5', 100)
  assert.equal(incoming.dialog?.peerRequests('INFO', [['Content-Type', 'application/dtmf-relay']], 'Signal=#\r\nDuration=160\r\n'), 200)
  assert.equal(incoming.dialog?.peerRequests('INFO', [['Content-Type', 'application/xml']], '<a/>'), 415)
  assert.deepEqual(
    town.factsOf('digit.pressed').map(({ digit, by }) => digit + by),
    ['5rtp', '#info'],
  )
})

test('audio that stays away ends the leg with its cause', () => {
  const town = new Town()
  const { incoming, inbound } = town.calledIn()
  inbound.answer()
  town.endpoints[0]?.events.onSilent?.(60_000)
  assert.deepEqual(inbound.leg.outcome, { kind: 'media-lost', by: 'caller', detail: 'no audio from +74951112233 for 60 s' })
  assert.equal(incoming.dialog?.ended, 'Q.850;cause=41;text="Temporary failure"')
})

test('a REFER that names nobody, or no dialog that could be, is refused by name', () => {
  const { incoming, inbound } = new Town().calledIn()
  inbound.answer()
  const refer = (to: string[]) =>
    incoming.dialog?.peerRequests(
      'REFER',
      to.map((value) => ['Refer-To', value] as const),
    )
  assert.equal(refer([]), 400)
  assert.equal(refer(['<sip:example.com>']), 400)
  assert.equal(refer(['<sip:101@x>', '<sip:102@x>']), 400)
  assert.equal(refer(['<sip:101@x?Replaces=a%3Bto-tag%3Db>']), 400)
  assert.equal(refer(['<sip:101@x>']), 603, 'nobody is there to be transferred')
  let to = ''
  inbound.leg.onReferral.on((referral) => void (to = referral.to))
  assert.equal(refer(['"Anna" <sip:%2B7495@x;user=phone>']), 202)
  assert.equal(to, '+7495')
  assert.equal(incoming.dialog?.peerRequests('PUBLISH', []), 501)
})
