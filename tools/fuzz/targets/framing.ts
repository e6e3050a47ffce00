import assert from 'node:assert/strict'
import { type Frame, StreamFramer } from '#sip/message/framing.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { sipSeeds } from '#tools/fuzz/seeds.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

/** A stream of messages: the same frames however it is cut, and the parser finding the same end as the framing. */
export const framingTarget: FuzzTarget = {
  name: 'framing',
  seeds: () => [
    ...sipSeeds(),
    Buffer.from('\r\n\r\nA b SIP/2.0\r\nl: 1\r\n\r\nx\r\n\r\n\r\n'),
    Buffer.from('A b SIP/2.0\r\nContent-Length : \r\n 2\r\n\r\nxyB'),
  ],
  // A stream of up to ten thousand pieces, each compared.
  limitMs: 100,
  run(bytes) {
    const whole = new StreamFramer()
    const frames = whole.push(bytes)
    assert.deepEqual(inChunks(bytes), frames)
    for (const frame of frames) {
      if (frame.kind !== 'message') continue
      const message = parseMessage(frame.bytes)
      assert.ok(message.kind !== 'malformed' || message.rule !== 'content-length', 'framing and parser differ on the length')
      if (message.kind !== 'malformed') assert.equal(frame.bytes.indexOf('\r\n\r\n') + 4 + message.body.length, frame.bytes.length)
    }
    const kinds = frames.slice(0, 4).map((frame) => (frame.kind === 'refused' ? frame.rule : frame.kind))
    return `${kinds.join(' ')} ${whole.pendingBytes > 0 ? 'waits' : ''}`
  },
}

/** Pieces whose sizes depend on the bytes themselves, so that a run can be repeated. */
function inChunks(bytes: Uint8Array): Frame[] {
  const framer = new StreamFramer()
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + (((bytes[at] ?? 0) * 7) % (bytes.length > 4096 ? 4096 : 97))
    frames.push(...framer.push(bytes.subarray(at, at + size)))
    at += size
  }
  return frames
}
