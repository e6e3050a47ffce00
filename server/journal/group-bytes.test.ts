import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { GroupBytes } from '#server/journal/group-bytes.ts'
import { readRecords } from '#server/journal/record.ts'

function groupOf(bytes: GroupBytes, texts: readonly string[]): Buffer {
  bytes.begin()
  for (const text of texts) bytes.add('F', text)
  return bytes.end()
}

test('a line is the checksum of the rest in eight digits, a space, the type and the JSON', () => {
  const bytes = new GroupBytes()
  bytes.add('F', 'of a group that came to nothing')
  bytes.begin()
  bytes.add('D', '7')
  bytes.add('K', '["name","ü€😀"]')
  const lines = ['D7', 'K["name","ü€😀"]'].map((text) => `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`)
  assert.equal(bytes.end().toString(), lines.join(''))
})

test('lines of any length and script are read back as they were, group after group', () => {
  const bytes = new GroupBytes()
  const text = fc.string({ unit: 'binary', maxLength: 30_000, size: 'max' }).map((any) => JSON.stringify(any))
  fc.assert(
    fc.property(fc.array(text, { maxLength: 6, size: 'max' }), (texts) => {
      const damage = { damaged: 0, tornBytes: 0 }
      const read = [...readRecords(groupOf(bytes, texts), damage)]
      assert.deepEqual(
        read.map(({ json }) => json),
        texts,
      )
      assert.deepEqual(damage, { damaged: 0, tornBytes: 0 })
    }),
    { numRuns: 15 },
  )
})

test('JSON that lies in bytes makes the line that its text makes, however much of it there is', () => {
  const texts = ['["ü€😀"]', '', 'x'.repeat(200_000)]
  const group = new GroupBytes().begin()
  for (const text of texts) {
    const bytes = Buffer.from(`before${text}behind`)
    group.addBytes('K', bytes, 6, bytes.length - 6)
  }
  const { length } = group
  const fromBytes = group.end().toString()
  group.begin()
  for (const text of texts) group.add('K', text)
  assert.equal(fromBytes, group.end().toString())
  assert.equal(length, Buffer.byteLength(fromBytes))
})

test('the next group uses the memory of the one before, unless that was an unusual one', () => {
  const bytes = new GroupBytes()
  assert.equal(groupOf(bytes, ['one']).buffer, groupOf(bytes, ['two']).buffer)
  const huge = groupOf(bytes, ['x'.repeat(3_000_000)])
  assert.equal(huge.length, 3_000_011)
  assert.notEqual(groupOf(bytes, ['three']).buffer, huge.buffer)
  assert.equal(huge.indexOf('y'), -1)
})
