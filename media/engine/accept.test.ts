import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AcceptRule } from '#media/engine/accept.ts'

const sdp = { address: '192.0.2.10', port: 4000 }
const exact = { mode: 'exact' } as const
const latch = (address: string): { mode: 'latch'; address: string } => ({ mode: 'latch', address })

test('before an aim nobody is accepted and there is nowhere to send', () => {
  const rule = new AcceptRule()
  assert.equal(rule.judge('192.0.2.10', 4000), 'stranger')
  assert.equal(rule.target, null)
})

test('exact: only the pair of the SDP, to the port', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: exact })
  assert.equal(rule.judge('192.0.2.10', 4000), 'known')
  assert.equal(rule.judge('192.0.2.10', 4002), 'stranger')
  assert.equal(rule.judge('192.0.2.66', 4000), 'stranger')
  assert.deepEqual(rule.target, sdp)
})

test('exact without an address: nobody, and nothing is sent', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: exact })
  rule.aim({ remote: null, accept: exact })
  assert.equal(rule.judge('192.0.2.10', 4000), 'stranger')
  assert.equal(rule.target, null)
})

test('latch: any port of the address may be first, then it alone', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: { address: '10.0.0.5', port: 4000 }, accept: latch('203.0.113.7') })
  assert.equal(rule.target, null, 'an address from SDP that the signalling does not vouch for gets nothing')
  assert.equal(rule.judge('10.0.0.5', 4000), 'stranger')
  assert.equal(rule.judge('203.0.113.7', 61_000), 'new')
  rule.fix('203.0.113.7', 61_000)
  assert.equal(rule.judge('203.0.113.7', 61_000), 'known')
  assert.equal(rule.judge('203.0.113.7', 61_002), 'stranger')
  assert.deepEqual(rule.target, { address: '203.0.113.7', port: 61_000 })
})

test('latch on the very address of the SDP sends there at once', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch(sdp.address) })
  assert.deepEqual(rule.target, sdp)
  assert.equal(rule.settled, false)
})

test('a latch is kept while address and SDP stay, whatever else changes', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
  rule.fix('203.0.113.7', 61_000)
  rule.aim({ remote: { ...sdp }, accept: latch('203.0.113.7') })
  assert.equal(rule.judge('203.0.113.7', 61_000), 'known')
  assert.equal(rule.judge('203.0.113.7', 62_000), 'stranger')
  assert.ok(rule.settled)
})

test('when the SDP names another pair, the old one goes on until the same address sends from a new port', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
  rule.fix('203.0.113.7', 61_000)
  rule.aim({ remote: { ...sdp, port: 5000 }, accept: latch('203.0.113.7') })
  assert.equal(rule.judge('203.0.113.7', 61_000), 'known')
  assert.equal(rule.judge('203.0.113.7', 62_000), 'new')
  assert.equal(rule.judge('203.0.113.8', 62_000), 'stranger')
  rule.fix('203.0.113.7', 62_000)
  assert.equal(rule.judge('203.0.113.7', 61_000), 'stranger')
})

test('another address to latch on forgets the old pair', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
  rule.fix('203.0.113.7', 61_000)
  rule.aim({ remote: sdp, accept: latch('203.0.113.8') })
  assert.equal(rule.judge('203.0.113.7', 61_000), 'stranger')
  assert.equal(rule.judge('203.0.113.8', 5), 'new')
})

test('a latch learnt before an engine died counts only for its own address', () => {
  const pair = { address: '203.0.113.7', port: 61_000 }
  const same = new AcceptRule()
  same.aim({ remote: sdp, accept: latch('203.0.113.7') }, pair)
  assert.equal(same.judge('203.0.113.7', 61_000), 'known')
  const other = new AcceptRule()
  other.aim({ remote: sdp, accept: latch('203.0.113.9') }, pair)
  assert.equal(other.judge('203.0.113.7', 61_000), 'stranger')
})

test('back from a hold any port of the address may take over, until the first valid packet says which, and no other address', () => {
  for (const [port, other] of [
    [61_000, 62_000],
    [62_000, 61_000],
  ] as const) {
    const rule = new AcceptRule()
    rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
    rule.fix('203.0.113.7', 61_000)
    rule.resume(0)
    assert.deepEqual(rule.target, { address: '203.0.113.7', port: 61_000 })
    assert.equal(rule.judge('203.0.113.7', 61_000), 'known')
    assert.equal(rule.judge('203.0.113.7', 62_000), 'new')
    assert.equal(rule.judge('203.0.113.8', 61_000), 'stranger')
    assert.equal(rule.judge(sdp.address, sdp.port), 'stranger')
    assert.equal(rule.settled, false)
    if (port === 61_000) rule.confirm()
    else rule.fix('203.0.113.7', port)
    assert.ok(rule.settled)
    assert.deepEqual(rule.target, { address: '203.0.113.7', port })
    assert.equal(rule.judge('203.0.113.7', other), 'stranger')
  }
})

test('back from a hold another port is admitted at once as who spoke before, else once the old one has been silent for half a second', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
  assert.ok(rule.admits(false, 0), 'before anybody has spoken nobody can tell')
  rule.fix('203.0.113.7', 61_000)
  rule.resume(1_000)
  assert.deepEqual([rule.admits(true, 1_000), rule.admits(false, 1_499), rule.admits(false, 1_500)], [true, false, true])
})

test('back from a hold with another pair in the SDP, a packet from the old port does not end the move', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: latch('203.0.113.7') })
  rule.fix('203.0.113.7', 61_000)
  rule.aim({ remote: { ...sdp, port: 5000 }, accept: latch('203.0.113.7') })
  rule.resume(0)
  rule.confirm()
  assert.equal(rule.judge('203.0.113.7', 62_000), 'new')
})

test('exact: a hold changes nothing of who may speak', () => {
  const rule = new AcceptRule()
  rule.aim({ remote: sdp, accept: exact })
  rule.resume(0)
  assert.equal(rule.judge(sdp.address, 4002), 'stranger')
  assert.ok(rule.settled)
})
