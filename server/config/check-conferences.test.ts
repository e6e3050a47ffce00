import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { conferenceChecks } from '#server/config/check-conferences.ts'

const room = (more: object): ConfigDocument => ({ kind: 'conference', id: 'weekly', ...more })
const rules = (...documents: ConfigDocument[]) => conferenceChecks(documents).map(({ rule, severity }) => `${severity} ${rule}`)

test('a PIN is what a telephone can enter, four digits at least, and another for moderators', () => {
  for (const pin of ['12', 'secret', '12345678901234567']) assert.deepEqual(rules(room({ pin })), ['error bad-pin'])
  assert.deepEqual(rules(room({ pin: '4711', moderatorPin: '4711' })), ['error same-pin'])
  for (const pin of ['4711', '********', { secret: 'sec_1' }]) assert.deepEqual(rules(room({ pin, moderatorPin: '9911' })), [])
})

test('a room without a PIN that the world can dial is warned of, directly or behind an extension', () => {
  const extension: ConfigDocument = { kind: 'extension', id: '800', number: '800', target: { conference: 'weekly' } }
  for (const target of [{ conference: 'weekly' }, { extension: '800' }]) {
    const number: ConfigDocument = { kind: 'number', id: 'main', number: '+74950000100', target }
    assert.deepEqual(rules(room({}), extension, number), ['warning open-conference'])
    assert.deepEqual(rules(room({ pin: '4711' }), extension, number), [])
  }
})
