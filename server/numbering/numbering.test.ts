import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDialled, readFrom, writeFor } from '#server/numbering/numbering.ts'

const dialled: readonly [country: string, text: string, e164: string | null, cls: string][] = [
  ['RU', '8 (495) 123-45-67', '+74951234567', 'national'],
  ['RU', '+7 916 123-45-67', '+79161234567', 'mobile'],
  ['RU', '8 800 555 35 35', '+78005553535', 'toll-free'],
  ['RU', '00 371 67 123 456', '+37167123456', 'international'],
  ['LV', '67123456', '+37167123456', 'national'],
  ['GB', '0909 879 0000', '+449098790000', 'premium'],
  ['GB', '+8816 3211 1111', '+881632111111', 'satellite'],
  ['RU', 'anna', null, 'unknown'],
  ['RU', '', null, 'unknown'],
]

for (const [country, text, e164, cls] of dialled) {
  test(`'${text}' dialled in ${country} is ${e164 ?? 'no international number'}, ${cls}`, () => {
    const read = readDialled(text, country)
    assert.equal(read.e164, e164)
    assert.equal(read.class, cls)
  })
}

test('a trunk is given numbers in the form it asks for', () => {
  const number = readDialled('8 495 123-45-67', 'RU')
  assert.equal(writeFor('e164-plus', number, 'RU'), '+74951234567')
  assert.equal(writeFor('e164', number, 'RU'), '74951234567')
  assert.equal(writeFor('national', number, 'RU'), '84951234567')
  assert.equal(writeFor({ strip: 1, prefix: '8' }, number, 'RU'), '84951234567')
})

test('a number on a trunk is read back to its international form', () => {
  assert.equal(readFrom('e164-plus', '+74951234567', 'RU'), '+74951234567')
  assert.equal(readFrom('e164', '74951234567', 'RU'), '+74951234567')
  assert.equal(readFrom('national', '84951234567', 'RU'), '+74951234567')
  assert.equal(readFrom({ strip: 1, prefix: '+7' }, '84951234567', 'RU'), '+74951234567')
  assert.equal(readFrom('e164', 'anonymous', 'RU'), null)
})
