import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clip, silentClip } from '#media/engine/clip.ts'
import { Player } from '#media/engine/player.ts'

const clip = (from: number, count: number, length = count): Clip => ({
  octets: Buffer.from(Array.from({ length: count }, (_, i) => from + i)),
  length,
})

function next(player: Player, bytes: number): number[] {
  const out = Buffer.alloc(bytes + 2)
  player.fill(out, 1, bytes)
  assert.deepEqual([out[0], out[bytes + 1]], [0, 0], 'nothing is written outside')
  return [...out.subarray(1, bytes + 1)]
}

test('clips follow each other within a packet, and the end is filled with silence', () => {
  const player = new Player([clip(1, 3), silentClip(0), clip(11, 2)], 'PCMU')
  assert.deepEqual(next(player, 4), [1, 2, 3, 11])
  assert.equal(player.ended, false)
  assert.deepEqual(next(player, 3), [12, 0xff, 0xff])
  assert.equal(player.ended, true)
})

test('a tone goes round and round for its length', () => {
  assert.deepEqual(next(new Player([clip(1, 3, 7)], 'PCMA'), 8), [1, 2, 3, 1, 2, 3, 1, 0xd5])
})

test('a loop begins again after its last clip, and never ends', () => {
  const player = new Player([clip(1, 2), clip(8, 1)], 'PCMU', true)
  assert.deepEqual(next(player, 8), [1, 2, 8, 1, 2, 8, 1, 2])
  assert.equal(player.ended, false)
})

test('nothing to play has ended at once, looped or not', () => {
  assert.equal(new Player([], 'PCMU').ended, true)
  assert.equal(new Player([silentClip(0)], 'PCMU', true).ended, true)
})

test('silence is made in the codec and counts as time', () => {
  const player = new Player([silentClip(2)], 'PCMA')
  assert.deepEqual(
    next(player, 16),
    Array.from({ length: 16 }, () => 0xd5),
  )
  assert.equal(player.ms, 2)
})

test('seeking goes on in the middle, over clips and over many rounds of a loop', () => {
  const bytes = (count: number, value: number): Clip => ({ octets: Buffer.alloc(count, value), length: count })
  const player = new Player([bytes(80, 1), bytes(160, 2)], 'PCMU', true)
  player.seek(30 * 1000 + 15)
  assert.deepEqual(next(player, 1), [2])
  assert.equal(player.ms, 30_015)
  const once = new Player([bytes(80, 1)], 'PCMU')
  once.seek(11)
  assert.equal(once.ended, true)
})

test('the rest of a player is what it has not played', () => {
  const player = new Player([clip(1, 3, 7), clip(11, 2)], 'PCMU')
  next(player, 2)
  assert.deepEqual(next(new Player(player.rest, 'PCMU'), 7), [3, 1, 2, 3, 1, 11, 12])
})
