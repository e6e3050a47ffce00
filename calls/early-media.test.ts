import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EarlyMedia } from '#calls/early-media.ts'
import { LegMedia } from '#calls/leg-media.ts'
import { audio, Town } from '#calls/testing.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { SipResponse } from '#sip/message/message.ts'

function early() {
  const town = new Town()
  const media = LegMedia.open(town.needs, { peer: '192.0.2.9' })
  assert.ok(media !== null)
  media.offer()
  const headers = [
    ['To', '<sip:x@y>'],
    ['From', '<sip:us@y>;tag=ours'],
    ['Call-ID', 'c'],
    ['CSeq', '1 INVITE'],
  ] as const
  const invite = buildRequest({ method: 'INVITE', uri: 'sip:x@y', headers })
  const says = (status: number, tag: string, port?: number): SipResponse => {
    const body = port === undefined ? undefined : audio('sendrecv', port)
    return buildResponse(invite, status, undefined, {
      toTag: tag,
      ...(body !== undefined && { headers: [['Content-Type', body.contentType]], body: body.bytes }),
    })
  }
  const heard = new EarlyMedia(media)
  const port = (): number | undefined => town.endpoints[0]?.stream?.remote?.port
  return { heard, says, port }
}

test('of several forks that send audio the latest is heard, and again another when it has ended (RFC 6228)', () => {
  const { heard, says, port } = early()
  heard.progressed(says(180, 'a'), 'a')
  assert.equal(heard.isHeard, false)
  heard.progressed(says(183, 'a', 41_000), 'a')
  heard.progressed(says(183, 'b', 42_000), 'b')
  assert.equal(port(), 42_000)
  heard.progressed(says(180, 'b'), 'b')
  assert.equal(heard.isHeard, true)
  heard.progressed(says(199, 'b'), 'b')
  assert.equal(port(), 41_000)
  heard.progressed(says(199, 'a'), 'a')
  assert.equal(heard.isHeard, false)
})

test('who answers is heard, by its answer or by what it said before', () => {
  const { heard, says, port } = early()
  heard.progressed(says(183, 'a', 41_000), 'a')
  heard.progressed(says(183, 'b', 42_000), 'b')
  assert.equal(heard.answered(says(200, 'a')), 'ok')
  assert.equal(port(), 41_000)
  assert.equal(heard.answered(says(200, 'c', 43_000)), 'ok')
  assert.equal(port(), 43_000)
  assert.deepEqual(heard.answered(says(200, 'd')), { why: 'the answer has no SDP' })
})
