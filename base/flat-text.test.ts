import { test } from 'node:test'
import fc from 'fast-check'
import { flatText } from '#base/flat-text.ts'

test('a text comes back as it is, whatever it holds', () => {
  const texts = fc.string({ unit: 'binary', maxLength: 2000 }).map((text) => `${text}\ud800`.slice(0, text.length + (text.length % 2)))
  fc.assert(fc.property(fc.oneof(texts, fc.string(), fc.constantFrom('', 'é', '\xff\0', 'ż', '\udc80')), (text) => flatText(text) === text))
})
