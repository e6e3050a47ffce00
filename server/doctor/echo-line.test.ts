import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audio, FakeIncoming, Town } from '#calls/testing.ts'
import { EchoLine } from '#server/doctor/echo-line.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { SipRequest } from '#sip/message/message.ts'

function calling(user: string): FakeIncoming & { request: SipRequest } {
  const body = audio('sendrecv', 40_000)
  const headers = [
    ['From', '<sip:doctor@192.0.2.9>;tag=peer'],
    ['To', '<sip:us@192.0.2.1>'],
    ['Call-ID', 'x'],
    ['CSeq', '1 INVITE'],
    ['Content-Type', body.contentType],
  ] as const
  return Object.assign(new FakeIncoming(body), {
    request: buildRequest({ method: 'INVITE', uri: `sip:${user}@192.0.2.1`, headers, body: body.bytes }),
  })
}

test('the line is there for the one call that is expected, and for nobody else', () => {
  const town = new Town()
  const line = new EchoLine(town.needs)
  const { user, ...expected } = line.expect()
  assert.equal(line.identify(calling('echo-1').request), null)
  const incoming = calling(user)
  const who = line.identify(incoming.request) ?? assert.fail('the doctor is not known')
  assert.equal(line.takes(calling(user), { id: 'doctor', aor: null }), false, 'who says so is not the doctor')
  assert.ok(line.takes(incoming, who))
  assert.equal(line.identify(calling(user).request), null, 'a name is good for one call')
  expected[Symbol.dispose]?.()
  const again = line.expect()
  again[Symbol.dispose]()
  assert.equal(line.identify(calling(again.user).request), null)
})

test('who calls it is joined with a port that sends to itself; all ports are given back at its end, or when nobody hangs up', () => {
  for (const end of ['bye', 'time'] as const) {
    const town = new Town()
    const line = new EchoLine(town.needs)
    using expected = line.expect()
    const incoming = calling(expected.user)
    line.takes(incoming, line.identify(incoming.request) ?? assert.fail())
    const [leg, mirror] = town.endpoints
    assert.equal(leg?.peer, mirror)
    assert.deepEqual(mirror?.stream?.remote, { address: '127.0.0.1', port: mirror?.local.port })
    assert.match(incoming.accepted ?? '', /m=audio/)
    if (end === 'bye') incoming.dialog?.peerHangsUp()
    else town.clock.advance(15_000)
    assert.deepEqual([leg?.closed, mirror?.closed, town.clock.pending], [true, true, 0])
    assert.equal(incoming.dialog?.ended !== undefined, end === 'time')
  }
})

test('without ports the call is refused and nothing is kept', () => {
  for (const ports of [0, 1]) {
    const town = new Town()
    town.ports = ports
    const line = new EchoLine(town.needs)
    using expected = line.expect()
    const incoming = calling(expected.user)
    line.takes(incoming, line.identify(incoming.request) ?? assert.fail())
    assert.equal(incoming.rejected, 503)
    assert.ok(town.endpoints.every(({ closed }) => closed))
  }
})
