import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Trunk } from '#contract/documents/trunk.ts'
import { compileTrunk } from '#server/config/compile-trunk.ts'
import { readValues } from '#server/config/read.ts'
import { validateCompany } from '#server/config/validate.ts'
import { dialects, inDialect, unknownDialect } from '#server/trunks/dialects.ts'

const plain: Trunk = { kind: 'trunk', id: 'one', host: 'carrier.example' }

test('each dialect is dated, says why, is settled by fields that a trunk knows, and has a name of its own', () => {
  assert.ok(dialects.length >= 8)
  assert.equal(new Set(dialects.map((dialect) => dialect.name)).size, dialects.length)
  for (const { name, title, date, reason, settings } of dialects) {
    assert.match(name, /^[a-z0-9-]{1,40}$/)
    assert.match(date, /^20\d\d-\d\d-\d\d$/)
    assert.ok(title.length > 10 && reason.length > 60, name)
    assert.deepEqual(readValues([{ ...plain, ...settings }]).problems, [], name)
  }
})

test('a trunk speaks its dialect, but what its own document says wins, field by field', () => {
  const compiled = (more: Partial<Trunk>) => compileTrunk({ ...plain, ...more }, null, new Set())
  const account = compiled({ dialect: 'ru-account' })
  assert.deepEqual([account.dialledNumberIn, account.registerSeconds, account.callerId.rule], ['to', 300, 'pai'])
  assert.deepEqual(account.numberFormat, { in: 'e164', out: 'e164', caller: 'e164' })
  const own = compiled({
    dialect: 'ru-account',
    dialledNumberIn: 'request-uri',
    numberFormat: { out: 'national' },
    callerId: { rule: 'from' },
  })
  assert.equal(own.dialledNumberIn, 'request-uri')
  assert.deepEqual(own.numberFormat, { in: 'e164', out: 'national', caller: 'national' })
  assert.deepEqual([own.callerId.rule, own.callerId.read], ['from', ['from', 'pai']])
  assert.equal(inDialect(plain), plain)
})

test('an unknown dialect is refused with the one that was probably meant and the list of all', () => {
  assert.equal(unknownDialect('twilio'), null)
  assert.match(unknownDialect('twillio') ?? '', /there is no dialect twillio; perhaps twilio\. Known are sipconnect, twilio/)
  assert.doesNotMatch(unknownDialect('something-else') ?? '', /perhaps/)
  const [problem] = validateCompany(readValues([{ ...plain, dialect: 'sip-gate' }]).documents).filter((p) => p.rule === 'unknown-dialect')
  assert.equal(problem?.pointer, '/dialect')
  assert.match(problem.message, /perhaps sipgate/)
})

test('a trunk that is not trusted is asked for From alone, whatever its dialect reads', () => {
  assert.deepEqual(compileTrunk({ ...plain, dialect: 'twilio', callerId: { trusted: false } }, null, new Set()).callerId.read, ['from'])
})
