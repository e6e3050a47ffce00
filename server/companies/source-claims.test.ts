import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigStore } from '#server/config-store/index.ts'
import { readDocuments } from '#server/config/read.ts'
import { sourcesOfOthers } from '#server/companies/source-claims.ts'
import { SharedSources } from '#server/trunks/shared-sources.ts'

/** Two companies: blue has these trunks, red has `before` and wants `wanted`. */
function claim(given: { blue: object[]; wanted: object[]; before?: object[]; shared?: string[]; found?: string[] }): string[] {
  const trunks = (list: object[]) => list.map((trunk, i) => ({ kind: 'trunk', id: `t${i}`, host: '192.0.2.200', ...trunk }))
  const documents: Record<string, unknown[]> = { blue: trunks(given.blue), red: trunks(given.before ?? []) }
  const store = {
    tenants: () => Object.keys(documents),
    current: (tenant) => ({ version: 1, author: '', comment: '', at: 0, documents: (documents[tenant] ?? []) as never }),
  } satisfies Pick<ConfigStore, 'tenants' | 'current'>
  const problems = sourcesOfOthers(
    { store, shared: new SharedSources(given.shared ?? []), foundOfOthers: () => given.found ?? [] },
    'red',
    trunks(given.wanted) as never,
  )
  return problems.map(({ rule, id, pointer }) => `${rule} ${id} ${pointer}`)
}

test('a source that another company lists is refused with its place, also where networks overlap', () => {
  for (const [theirs, ours] of [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.0/24', '203.0.113.7'],
    ['203.0.113.7', '203.0.113.0/28'],
    ['sip.carrier.example', 'SIP.carrier.example'],
    ['2001:db8::/32', '2001:db8:0:1::/64'],
  ] as const) {
    assert.deepEqual(claim({ blue: [{ addresses: [theirs] }], wanted: [{ addresses: ['198.51.100.1', ours] }] }), [
      'source-taken t0 /addresses/1',
    ])
  }
  assert.deepEqual(claim({ blue: [{ addresses: ['203.0.113.7'] }], wanted: [{ addresses: ['203.0.113.8'] }] }), [])
})

test('without addresses the host and the proxy are the sources', () => {
  const blue = [{ addresses: ['203.0.113.7', 'proxy.example'] }]
  const wanted = [{ host: '203.0.113.7', outboundProxy: { host: 'proxy.example' } }]
  assert.deepEqual(claim({ blue, wanted }), ['source-taken t0 /host', 'source-taken t0 /outboundProxy/host'])
})

test('an address to which another company’s name leads is taken, too', () => {
  assert.deepEqual(claim({ blue: [], wanted: [{ addresses: ['203.0.113.7'] }], found: ['203.0.113.7'] }), ['source-taken t0 /addresses/0'])
})

test('what the operator shares everybody may list, and no more than that', () => {
  const blue = [{ addresses: ['203.0.113.0/24', 'sip.carrier.example'] }]
  const shared = ['203.0.113.0/24', 'sip.carrier.example']
  assert.deepEqual(claim({ blue, shared, wanted: [{ addresses: ['203.0.113.0/28', 'sip.carrier.example'] }] }), [])
  assert.deepEqual(claim({ blue, shared, wanted: [{ addresses: ['203.0.0.0/16'] }] }), ['source-taken t0 /addresses/0'])
})

test('what a company has had stands when it applies again', () => {
  const both = [{ addresses: ['203.0.113.7'] }]
  assert.deepEqual(claim({ blue: both, before: both, wanted: both }), [])
  assert.deepEqual(claim({ blue: both, before: both, wanted: [{ addresses: ['203.0.113.0/24'] }] }), ['source-taken t0 /addresses/0'])
})

test('the refusal says where in the file, and what to do', () => {
  const text = 'kind: trunk\nid: carrier\nhost: sip.carrier.example\naddresses:\n  - 203.0.113.7\n'
  const read = readDocuments([{ name: 'trunks.yaml', text }])
  const blue = { version: 1, author: '', comment: '', at: 0, documents: read.documents as never }
  const store = { tenants: () => ['blue'], current: (tenant: string) => (tenant === 'blue' ? blue : null) }
  const [problem] = sourcesOfOthers({ store, shared: new SharedSources([]), foundOfOthers: () => [] }, 'red', read.documents, read.locate)
  assert.deepEqual([problem?.file, problem?.line, problem?.pointer], ['trunks.yaml', 5, '/addresses/0'])
  assert.match(problem?.expected ?? '', /CENTRALA_SHARED_TRUNK_SOURCES/)
})
