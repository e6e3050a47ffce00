import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigDocument } from '#contract/documents/document.ts'
import type { CodecName } from '#contract/documents/fields.ts'
import { codecChecks, codecsOf } from '#server/config/codecs.ts'

test('a device has its own codecs in its own order, as far as the company allows them, else those of the company in theirs', () => {
  assert.deepEqual(codecsOf(undefined, undefined), ['PCMA', 'PCMU', 'G722', 'opus'])
  assert.deepEqual(codecsOf(undefined, ['G722', 'PCMA']), ['G722', 'PCMA'])
  assert.deepEqual(codecsOf(['opus', 'PCMA', 'G722'], ['G722', 'PCMA']), ['PCMA', 'G722'])
  assert.deepEqual(codecsOf(['opus', 'PCMU'], undefined), ['opus', 'PCMU'])
})

const company = (...codecs: CodecName[]): ConfigDocument => ({
  ...{ kind: 'company', id: 'acme', name: 'Acme', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: ['acme.test'] },
  ...(codecs.length > 0 && { codecs }),
})
const device = (...codecs: CodecName[]): ConfigDocument => ({
  kind: 'device',
  id: 'desk',
  username: 'desk',
  ...(codecs.length > 0 && { codecs }),
})
const trunk = (more: object): ConfigDocument => ({ kind: 'trunk', id: 'carrier', host: '192.0.2.1', ...more })
const rules = (...documents: ConfigDocument[]) =>
  codecChecks(documents).map(({ rule, severity, document }) => `${severity} ${rule} ${document?.kind}`)

test('who has no codec left is refused, also by the dialect of a trunk', () => {
  assert.deepEqual(rules(company('PCMA'), device('opus')), ['error no-codec device'])
  assert.deepEqual(rules(company('opus'), trunk({ dialect: 'voipms' })), ['error no-codec trunk'])
  assert.deepEqual(rules(company('PCMA', 'opus'), device('opus', 'G722')), [])
})

test('phones and trunks that share no codec are warned of; a trunk that is switched off counts for nothing', () => {
  assert.deepEqual(rules(company(), device('opus'), trunk({ codecs: ['PCMA'] })), [
    'warning no-common-codec device',
    'warning no-common-codec trunk',
  ])
  assert.deepEqual(rules(company(), device('opus'), trunk({ codecs: ['PCMA'], enabled: false })), [])
  assert.deepEqual(rules(company(), device('opus')), [])
})
