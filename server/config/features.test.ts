import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigDocument } from '#contract/documents/document.ts'
import { compileFeatures, featureChecks, featureOf } from '#server/config/features.ts'

const place = { name: 'Acme', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: ['acme.test'] }

/** The complaints about a company with these fields and extension 701. */
function complaints(fields: object, extension = '701'): string[] {
  const documents = [
    { kind: 'company', id: 'acme', ...place, ...fields },
    { kind: 'device', id: 'phone', username: 'phone' },
    { kind: 'extension', id: 'one', number: extension, target: { device: 'phone' } },
  ] as ConfigDocument[]
  return featureChecks(documents).map(({ path, message }) => `${path.join('/')}: ${message}`)
}

test('what is dialled has one meaning: slots are no extensions, codes no slots, nor two codes the same', () => {
  assert.deepEqual(complaints({}), [])
  assert.deepEqual(complaints({ parking: { slots: ['700', '701'] } }), [
    'parking/slots/1: 701 is extension 701 already: no slot may have it',
  ])
  assert.deepEqual(complaints({ featureCodes: { flip: '*703' } }), ['parking: *703 is the code of flip already: no slot may have it'])
  assert.deepEqual(complaints({ featureCodes: { flip: '*8' } }), ['featureCodes: two feature codes are the same'])
  assert.deepEqual(complaints({ featureCodes: { pickup: '*7' }, parking: { slots: ['801'] } }), [])
  assert.deepEqual(complaints({ featureCodes: { pickup: '*3', flip: '*377' }, parking: { slots: ['801'] } }), [
    'featureCodes/flip: *377 would be the pickup of 77',
  ])
  for (const pickup of ['*1', '*112'])
    assert.deepEqual(complaints({ featureCodes: { pickup } }), [
      `featureCodes: behind ${pickup} and *11 nobody could tell a pickup from a login`,
    ])
})

test('a code means what the company says, and everything else is a number', () => {
  const features = compileFeatures({ kind: 'company', id: 'acme', ...place, featureCodes: { flip: '*5' } }, undefined)
  assert.deepEqual(featureOf(features, '*703'), { kind: 'slot', slot: '*703' })
  assert.deepEqual(featureOf(features, '**101'), { kind: 'pickup', number: '101' })
  assert.deepEqual(featureOf(features, '***701'), { kind: 'pickup', number: '*701' })
  assert.deepEqual(featureOf(features, '*5'), { kind: 'flip' })
  for (const dialled of ['*9', '101', '**', '**1', '+3712', '*7', '']) assert.equal(featureOf(features, dialled), null, dialled)
})
