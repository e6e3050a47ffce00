import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed, demoFiles, documentsOf, smallCompany } from '#server/config/testing.ts'
import { readDocuments, readValues } from '#server/config/read.ts'
import { validateCompany } from '#server/config/validate.ts'

const complaints = (changes: Readonly<Record<string, object | null>>) =>
  validateCompany(changed(changes)).map(({ severity, rule, kind, id, pointer }) => `${severity} ${rule} ${kind} ${id} ${pointer}`)

test('a sound company has no problems', () => assert.deepEqual(validateCompany(documentsOf(smallCompany).documents), []))

test('the demo company has no problems, not even warnings', () => {
  const { documents, problems, locate } = readDocuments(demoFiles())
  assert.deepEqual(problems, [])
  assert.deepEqual(validateCompany(documents, { locate }), [])
})

test('an empty set has no company', () =>
  assert.deepEqual(
    validateCompany([]).map(({ rule }) => rule),
    ['no-company'],
  ))

const office = { weekly: [{ days: ['mon'], from: '09:00', to: '18:00' }] }
const rule = (changes: object) => ({ 'hours office': { ...office, ...changes } })
const table: readonly (readonly [what: string, changes: Readonly<Record<string, object | null>>, expected: readonly string[]])[] = [
  [
    'a second company',
    { 'company two': { name: 'B', timezone: 'UTC', country: 'LV', language: 'en', sipDomains: ['b.example'] } },
    ['error one-only company two /kind'],
  ],
  [
    'a target that is not there',
    { 'extension 102': { target: { person: 'vera' } } },
    ['error dangling-reference extension 102 /target/person'],
  ],
  ['a prompt that a flow plays and nobody made', { 'prompt hello': null }, ['error dangling-reference flow main /nodes/hello/prompts/0']],
  ['a number that two extensions have', { 'extension 102': { number: '100' } }, ['error not-unique extension 102 /number']],
  [
    'a number that two documents have',
    { 'number direct': { number: '+37160000100' }, 'person oleg': { callerId: '+37160000100' } },
    ['error not-unique number direct /number'],
  ],
  ['a user name that two devices have', { 'device oleg-desk': { username: 'anna1' } }, ['error not-unique device oleg-desk /username']],
  [
    'a foreign number shown outside',
    { 'device oleg-desk': { callerId: '+37160000999' } },
    ['error foreign-number device oleg-desk /callerId'],
  ],
  [
    'a foreign number among those a trunk shows',
    { 'trunk one': { callerId: { allowed: ['+37160000100', '+1234'] } } },
    ['error foreign-number trunk one /callerId/allowed/1'],
  ],
  ['a time zone that does not exist', rule({ timezone: 'Europe/Atlantis' }), ['error unknown-time-zone hours office /timezone']],
  [
    'overlapping hours of a day',
    rule({ weekly: [...office.weekly, { days: ['sun', 'mon'], from: '17:00', to: '19:00' }] }),
    ['error overlapping-hours hours office /weekly/1'],
  ],
  [
    'a day that does not exist',
    rule({ holidays: [{ name: 'x', date: '02-30' }] }),
    ['error no-such-date hours office /holidays/0/date', 'error no-such-date hours office /holidays/0/until'],
  ],
  [
    '29 February of an ordinary year',
    rule({ exceptions: [{ name: 'x', date: '2027-02-28', until: '2027-02-29' }] }),
    ['error no-such-date hours office /exceptions/0/until'],
  ],
  [
    'a span that runs backwards',
    rule({ exceptions: [{ name: 'x', date: '2027-02-02', until: '2027-02-01' }] }),
    ['error bad-span hours office /exceptions/0/until'],
  ],
  [
    'a span of one year and of every year',
    rule({ holidays: [{ name: 'x', date: '2027-02-02', until: '02-03' }] }),
    ['error bad-span hours office /holidays/0/until'],
  ],
  [
    'an exception behind another',
    rule({
      exceptions: [
        { name: 'x', date: '2027-02-01', until: '2027-02-05' },
        { name: 'y', date: '2027-02-05' },
      ],
    }),
    ['warning hidden-exception hours office /exceptions/1'],
  ],
  [
    'a group within a group',
    { 'ring-group two': { strategy: 'together', members: [{ extension: '200' }], noAnswer: { flow: 'main' } } },
    ['error nested-group ring-group two /members/0'],
  ],
  [
    'groups that send unanswered calls round',
    { 'ring-group sales': { noAnswer: { extension: '200' } } },
    ['error loop-without-input ring-group sales /noAnswer'],
  ],
  ['somebody who is rung and has no phone', { 'device oleg-desk': null }, ['warning no-phone extension 102 /target/person']],
  ['a prompt without sound', { 'prompt silent': {} }, ['error silent-prompt prompt silent ']],
  ['an outside number without a way out', { 'outbound out': null }, ['error no-way-out ring-group sales /members/2/external']],
  ['a trunk that registers as nobody', { 'trunk one': { register: true } }, ['error missing-account trunk one /register']],
  [
    'a network that is none',
    { 'trunk one': { addresses: ['10.0.0.0/8', '10.0.0.0/33', '2001:db8::/32', 'host/8'] } },
    ['error bad-network trunk one /addresses/1', 'error bad-network trunk one /addresses/3'],
  ],
  [
    'a network that is the world',
    { 'trunk one': { addresses: ['0.0.0.0/0', '128.0.0.0/1', '::/0'] } },
    ['error wide-network trunk one /addresses/0', 'error wide-network trunk one /addresses/1', 'error wide-network trunk one /addresses/2'],
  ],
  [
    'a rate for nothing',
    { 'outbound out': { rates: [{ perMinute: 1 }, { class: 'local', perMinute: 1 }] } },
    ['error bad-rate outbound out /rates/0'],
  ],
  [
    'an extension on an emergency number',
    { 'emergency e': { numbers: ['102', '112'], trunks: ['one'] } },
    ['error emergency-number extension 102 /number'],
  ],
  ['recording without a notice', { 'recording all': { directions: ['inbound'] } }, ['error recording-notice flow main /nodes/ring']],
  ['recording of other numbers only', { 'recording all': { numbers: ['direct'] } }, []],
  [
    'recording that the number itself asks for',
    { 'number main': { recording: 'all' }, 'recording all': { extensions: ['100'] } },
    ['error recording-notice flow main /nodes/ring'],
  ],
]
for (const [what, changes, expected] of table) {
  test(`${what}: ${expected.length === 0 ? 'no problem' : 'told with its place'}`, () => assert.deepEqual(complaints(changes), expected))
}

test('a problem of the whole set has the line and column where it is written', () => {
  const { documents, locate } = documentsOf(smallCompany.replace('target: { person: oleg }', 'target: { person: vera }'))
  const [problem] = validateCompany(documents, { locate })
  const line = smallCompany.split('\n').findIndex((text) => text.includes('number: 102, target'))
  assert.deepEqual(problem, {
    severity: 'error',
    rule: 'dangling-reference',
    message: 'there is no person vera',
    kind: 'extension',
    id: '102',
    pointer: '/target/person',
    file: 'test.yaml',
    line: line + 1,
    column: (smallCompany.split('\n')[line]?.indexOf('oleg') ?? 0) + 1,
  })
})

test('two documents of one kind and id are told', () => {
  const { documents } = readValues([...changed({}), { kind: 'person', id: 'anna', name: 'Another' }])
  assert.deepEqual(
    validateCompany(documents).map(({ rule, id }) => `${rule} ${id}`),
    ['doubled-document anna'],
  )
})

test('errors come before warnings', () => {
  const severities = validateCompany(changed({ 'device oleg-desk': null, 'prompt hello': null })).map(({ severity }) => severity)
  assert.deepEqual(severities, ['error', 'warning'])
})
