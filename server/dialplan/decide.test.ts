import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { compile } from '#server/config/compile.ts'
import type { CompiledDevice } from '#server/config/compiled.ts'
import { readValues } from '#server/config/read.ts'
import { changed } from '#server/config/testing.ts'
import { callerOnTrunk, dialledOnTrunk } from '#server/dialplan/arrival.ts'
import { Books } from '#server/dialplan/books.ts'
import { Decoys } from '#server/dialplan/decoys.ts'
import { decideFromTrunk, decideInside, type Route } from '#server/dialplan/decide.ts'
import { Identifier } from '#server/dialplan/identify.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { Flow } from '#sip/agent.ts'

const config = compile(
  changed({
    'emergency acme': { numbers: ['112'], trunks: ['one'], address: 'Riga' },
    'trunk one': { numberFormat: { in: 'national', out: 'e164-plus' }, dialledNumberIn: 'p-called-party-id' },
  }),
)
const one = config.trunks.get('one')
assert.ok(one !== undefined)

const told = (route: Route): string => {
  switch (route.kind) {
    case 'target':
      return route.extension?.number ?? route.number?.number ?? '?'
    case 'outside':
      return `outside ${route.number.e164 ?? 'nowhere'}`
    case 'emergency':
      return `emergency ${route.number}`
    case 'refused':
      return `${route.rule} ${route.outcome.sip ?? ''}`
  }
}

test('an emergency number of any company is known before it is known who calls, also while others have none', () => {
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config })
  books.take({ tenant: 'other', version: 1, config: compile(changed({})) })
  assert.equal(books.isEmergency('112'), true)
  assert.equal(books.isEmergency('1-1-2'), true)
  assert.equal(books.isEmergency('1120'), false)
  books.take({ tenant: 'acme', version: 2, config: compile(changed({})) })
  assert.equal(books.isEmergency('112'), false)
})

test('who dials inside reaches emergency first, then colleagues, the company’s own numbers, the world', () => {
  const table: [string, string][] = [
    ['112', 'emergency 112'],
    ['100', '100'],
    ['60000100', '+37160000100'],
    ['+371 6000-0102', '+37160000102'],
    ['+37129999999', 'outside +37129999999'],
    ['12', 'unknown-number 404'],
    ['anna', 'unknown-number 404'],
    ['', 'unknown-number 404'],
  ]
  for (const [dialled, expected] of table) assert.equal(told(decideInside(config, dialled)), expected, dialled)
})

test('a carrier’s call finds our number in the format that was agreed, and in any other', () => {
  for (const text of ['60000100', '+37160000100', '0037160000100', '37160000100']) {
    assert.equal(told(decideFromTrunk(config, 'one', [text])), '+37160000100', text)
  }
  assert.equal(told(decideFromTrunk(config, 'one', ['nobody', '60000102'])), '+37160000102', 'the next candidate is looked at')
  assert.equal(told(decideFromTrunk(config, 'one', ['+37111111111'])), 'unknown-number 404')
  assert.equal(told(decideFromTrunk(config, 'one', [])), 'unknown-number 404')
})

const invite = (headers: readonly (readonly [string, string])[]) =>
  buildRequest({
    method: 'INVITE',
    uri: 'sip:trunk-user@192.0.2.1',
    headers: [['To', '<sip:+37160000102@x>'], ['Call-ID', 'c'], ['CSeq', '1 INVITE'], ...headers],
  })

test('the dialled number is looked for where the trunk says, then in the usual places, each once', () => {
  const request = invite([
    ['From', '<sip:1@x>;tag=1'],
    ['P-Called-Party-ID', '<sip:60000100@x>'],
  ])
  assert.deepEqual(dialledOnTrunk(request, one), ['60000100', 'trunk-user', '+37160000102'])
})

test('the asserted caller counts before From, and who hides is not shown', () => {
  const from = ['From', '"Fake" <sip:999@x>;tag=1'] as const
  const asserted = ['P-Asserted-Identity', '<sip:20000001@carrier>'] as const
  assert.deepEqual(callerOnTrunk(invite([from, asserted]), one, 'LV'), { number: '+37120000001', name: 'Fake' })
  assert.deepEqual(callerOnTrunk(invite([from, asserted, ['Privacy', 'id']]), one, 'LV'), { number: '' })
  assert.deepEqual(callerOnTrunk(invite([['From', '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1']]), one, 'LV'), { number: '' })
  const odd = invite([['From', '"  Anna \u0007 B  " <sip:20000001@x>;tag=1']])
  assert.equal(callerOnTrunk(odd, one, 'LV').name, 'Anna   B')
})

const source: Flow = {
  transport: 'udp',
  local: { address: '192.0.2.1', port: 5060 },
  remote: { address: '198.51.100.7', port: 5060 },
  connection: null,
}

function identifier(passwordOf: (tenant: string, device: CompiledDevice) => string | null = () => 'secret', known = config) {
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config: known })
  return new Identifier({
    books,
    trunksFrom: () => [],
    passwordOf,
    isOurs: () => false,
    decoys: new Decoys(Buffer.alloc(32)),
  })
}
const from = (uri: string) => invite([['From', `<${uri}>;tag=1`]])

test('a phone is challenged in its company’s realm, with what its password hashes to', () => {
  const found = identifier().identify(from('sip:Anna1@acme.example'), source)
  assert.ok(found.kind === 'challenge' && found.user !== null)
  assert.equal(found.realm, 'acme.example')
  assert.equal(found.user.identity.aor, 'anna1@acme.example')
  assert.match(found.user.ha1.MD5 ?? '', /^[0-9a-f]{32}$/)
  assert.match(found.user.ha1['SHA-256'] ?? '', /^[0-9a-f]{64}$/)
})

test('who does not exist is challenged like who does, and is nobody whatever is proved', () => {
  const found = identifier().identify(from('sip:nobody@acme.example'), source)
  assert.ok(found.kind === 'challenge' && found.user !== null)
  assert.deepEqual([found.realm, found.user.algorithms, found.user.identity.aor], ['acme.example', ['SHA-256', 'MD5'], null])
  assert.match(found.user.username ?? '', /^[0-9a-f]{64}$/)
  assert.equal(identifier().identify(from('sip:anna1@elsewhere.example'), source).kind, 'challenge')
})

test('whoever is named, each request has two phones reckoned, as long as there are any, and none is left out', () => {
  const phones = Array.from({ length: 9 }, (_, i) => ({ kind: 'device', id: `p${i}`, username: `phone${i}`, password: 'p' }))
  const company = { kind: 'company', id: 'acme', name: 'A', timezone: 'UTC', country: 'LV', language: 'en', sipDomains: ['acme.example'] }
  const { documents, problems } = readValues([company, ...phones])
  assert.deepEqual(problems, [])
  const reckoned: string[] = []
  const many = identifier((_, { username }) => (reckoned.push(username), 'secret'), compile(documents))
  const counts = ['nobody', 'phone3', 'nobody', 'phone8', 'phone3', 'phone0'].map((name) => {
    many.identify(from(`sip:${name}@acme.example`), source)
    return reckoned.length
  })
  assert.deepEqual(counts, [2, 4, 6, 8, 9, 9])
  assert.deepEqual(reckoned.toSorted(), phones.map(({ username }) => username).toSorted())
})

test('a phone that knows us by an address only belongs to the first company', () => {
  const found = identifier().identify(from('sip:anna1@192.0.2.1'), source)
  assert.ok(found.kind === 'challenge')
  assert.equal(found.user?.identity.aor, 'anna1@acme.example')
})

test('the second company that asks for a SIP domain does not get it', () => {
  const books = new Books(silentLog)
  books.take({ tenant: 'acme', version: 1, config })
  books.take({ tenant: 'thief', version: 1, config })
  assert.equal(books.ofDomain('ACME.example', false)?.tenant, 'acme')
})

test('a call keeps the version it began with; one that is forgotten goes on with the oldest kept', () => {
  const books = new Books(silentLog)
  const versions = Array.from({ length: 20 }, () => compile(changed({})))
  versions.forEach((each, at) => books.take({ tenant: 'acme', version: at + 1, config: each }))
  assert.equal(books.at('acme', 10), versions[9])
  assert.equal(books.at('acme', 1), versions[4])
  assert.equal(books.current('acme')?.version, 20)
})
