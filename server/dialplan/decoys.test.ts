import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '#server/config/compile.ts'
import { changed } from '#server/config/testing.ts'
import { Decoys } from '#server/dialplan/decoys.ts'

const config = compile(changed({ 'device anna-desk': { algorithms: ['MD5'] } }))
const share =
  [...config.devicesByUsername.values()].filter(({ algorithms }) => algorithms.length === 1).length / config.devicesByUsername.size

test('names that nobody has are offered what phones are, in their shares, and each always the same', () => {
  assert.ok(share > 0 && share < 1, String(share))
  const decoys = new Decoys(Buffer.alloc(32, 1))
  const offers = Array.from({ length: 2_000 }, (_, i) => decoys.like(config, `nobody-${i}`)?.algorithms.join(' '))
  const old = offers.filter((offer) => offer === 'MD5').length / offers.length
  assert.ok(Math.abs(old - share) < 0.05, `${old} of ${share}`)
  assert.deepEqual(new Set(offers), new Set(['MD5', 'SHA-256 MD5']))
  const later = new Decoys(Buffer.alloc(32, 1))
  assert.deepEqual(
    offers,
    offers.map((_, i) => later.like(config, `NOBODY-${i}`)?.algorithms.join(' ')),
  )
})

test('where there are no phones, none stands in', () => {
  const none = { ...config, devicesByUsername: new Map() }
  assert.equal(new Decoys(Buffer.alloc(32)).like(none, 'nobody'), undefined)
})
