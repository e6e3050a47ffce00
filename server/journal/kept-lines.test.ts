import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GroupBytes } from '#server/journal/group-bytes.ts'
import { KeptLines } from '#server/journal/kept-lines.ts'
import { readRecords } from '#server/journal/record.ts'

/** What a checkpoint says of them. */
function checkpointOf(lines: KeptLines): string[] {
  const group = new GroupBytes().begin()
  lines.addTo(group)
  const damage = { damaged: 0, tornBytes: 0 }
  const records = [...readRecords(group.end(), damage)]
  assert.deepEqual(damage, { damaged: 0, tornBytes: 0 })
  return records.map(({ type, json }) => `${type}${json}`)
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200, size: 'max' }).map((any) => JSON.stringify(any)),
  // Of every size of slot, at their borders, and so that several differ in their last byte only.
  fc.tuple(fc.nat(1_100), fc.constantFrom('', 'a', 'b')).map(([length, end]) => 'x'.repeat(length) + end),
  fc.tuple(fc.nat(30_000), fc.constantFrom('ż', '€', '😀')).map(([length, unit]) => unit.repeat(length)),
)

test('whatever is set, set again and deleted, each key has its own latest line, as a map of texts would', () => {
  const key = fc.nat(60).map((number) => `${number % 2 === 0 ? 'call' : 'registration'}/ü${number}`)
  const step = fc.oneof({ arbitrary: fc.tuple(key, texts), weight: 3 }, { arbitrary: fc.tuple(key, fc.constant(null)), weight: 1 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const lines = new KeptLines()
      const model = new Map<string, string>()
      for (const [name, json] of steps) {
        if (json === null) assert.equal(lines.delete(name), model.delete(name))
        else {
          assert.equal(lines.set(name, json), model.get(name) !== json)
          assert.equal(lines.set(name, json), false)
          model.set(name, json)
        }
      }
      assert.deepEqual([...lines.jsonOf('')], [...model])
      assert.deepEqual(
        [...lines.jsonOf('call/')],
        [...model].filter(([name]) => name.startsWith('call/')),
      )
      assert.deepEqual(
        checkpointOf(lines),
        [...model.values()].map((json) => `K${json}`),
      )
      for (const name of model.keys()) lines.delete(name)
      assert.equal(lines.bytes, 0)
    }),
    { numRuns: 100 },
  )
})

test('a line takes the place of one about as long, whether a little longer or shorter', () => {
  const lines = new KeptLines()
  for (let i = 0; i < 1_000; i++) lines.set(`key/${i}`, `${'x'.repeat(475)}${i}`)
  const { bytes } = lines
  assert.ok(bytes >= 512_000 && bytes < 640_000, String(bytes))
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1_000; i++) assert.ok(lines.set(`key/${i}`, `${'y'.repeat(440 + ((round * 7 + i) % 60))}${i}`))
    assert.equal(lines.bytes, bytes)
  }
})

test('a line that is much shorter than the one before does not hold its memory', () => {
  const lines = new KeptLines()
  for (const length of [40_000, 20_000, 10_000, 4_000, 1_000, 100]) {
    for (let i = 0; i < 100; i++) lines.set(`key/${i}`, 'x'.repeat(length))
    assert.ok(lines.bytes <= 100 * length * 1.2 + 65_536, `${lines.bytes} for lines of ${length}`)
  }
})

test('memory is given back when keys go, whichever stay', () => {
  const lines = new KeptLines()
  for (let i = 0; i < 100_000; i++) lines.set(`key/${i}`, `${'x'.repeat(430 + (i % 150))}${i}`)
  assert.ok(lines.bytes > 50_000_000 && lines.bytes < 60_000_000, String(lines.bytes))
  for (let i = 0; i < 100_000; i++) if (i % 1_000 !== 0) lines.delete(`key/${i}`)
  // 100 lines in slots of three sizes, with a spare slab for each.
  assert.ok(lines.bytes <= 100 * 640 + 6 * 65_536, String(lines.bytes))
  assert.deepEqual(
    [...lines.jsonOf('')],
    Array.from({ length: 100 }, (_, i) => [`key/${i * 1_000}`, `${'x'.repeat(430 + ((i * 1_000) % 150))}${i * 1_000}`]),
  )
  for (let i = 0; i < 100_000; i += 1_000) lines.delete(`key/${i}`)
  assert.equal(lines.bytes, 0)
})

test('the first line of a size takes little, and coming and going at the border of a slab costs none each time', () => {
  const lines = new KeptLines()
  const line = 'x'.repeat(500)
  lines.set('first', line)
  assert.equal(lines.bytes, 4_096)
  for (let i = 1; i < 8; i++) lines.set(`key/${i}`, line)
  assert.equal(lines.bytes, 4_096)
  lines.set('ninth', line)
  const { bytes } = lines
  assert.equal(bytes, 4_096 + 8_192)
  lines.delete('first')
  assert.equal(lines.bytes, bytes)
  lines.set('first', line)
  assert.equal(lines.bytes, bytes)
})
