import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Trunk } from '#contract/documents/trunk.ts'
import { compile } from '#server/config/compile.ts'
import { readValues } from '#server/config/read.ts'
import { type Claim, showCaller, showDiversion, type ShownCaller } from '#server/trunks/caller-id.ts'

const desk = { kind: 'device', id: 'desk', username: '100', callerId: '+74950000101', mayShow: ['+74950000102'] }
const company = {
  kind: 'company',
  id: 'acme',
  name: 'Acme',
  timezone: 'Europe/Moscow',
  country: 'RU',
  language: 'ru',
  sipDomains: ['a.test'],
}
const numbers = ['+74950000100', '+74950000101', '+74950000102'].map((number, i) => ({
  kind: 'number',
  id: `n${i}`,
  number,
  target: { device: 'desk' },
}))

function shown(trunk: Partial<Trunk>, claim: Partial<Claim>): ShownCaller & { text: string } {
  const { documents, problems } = readValues([company, ...numbers, desk, { kind: 'trunk', id: 't', host: 'c.example', ...trunk }])
  assert.deepEqual(problems, [])
  const config = compile(documents)
  const on = { config, trunk: config.trunks.get('t') ?? assert.fail(), domain: 'c.example' }
  const whole: Claim = { device: 'desk', from: { number: '100', name: 'Director' }, ...claim }
  const caller = showCaller(on, whole)
  const headers = [...caller.headers, ...showDiversion(on, '+79160000005', whole.forwarded)]
  return { ...caller, headers, text: JSON.stringify([caller.from, headers]) }
}

const rules = ['asserted', 'from', 'pai', 'ppi', 'rpid'] as const
const outside: Partial<Claim> = {
  device: null,
  show: 'company',
  from: { number: '+79160000001' },
  forwarded: { by: '+74950000101', reason: 'no-answer' },
}

test('a withheld number is in no header on a trunk that is not trusted, and only asserted with Privacy on one that is', () => {
  for (const rule of rules) {
    for (const username of [undefined, 'acme', '74950000100']) {
      const user = username === undefined ? {} : { username }
      const untrusted = shown({ ...user, callerId: { rule, trusted: false } }, { withheld: true })
      assert.doesNotMatch(untrusted.text, /7495|Director/, rule)
      assert.match(untrusted.text, /"Privacy","id"/)
      assert.equal(untrusted.number, null, 'nothing that could be signed')
      const trusted = shown({ ...user, callerId: { rule } }, { withheld: true })
      assert.doesNotMatch(trusted.from, /7495/, rule)
      for (const [name, value] of trusted.headers)
        if (value.includes('7495')) assert.match(name, /^(P-Asserted-Identity|P-Preferred-Identity|Remote-Party-ID)$/)
      assert.match(trusted.text, /"Privacy","id"/)
      assert.doesNotMatch(trusted.text, /privacy=off/)
    }
  }
})

test('a caller from outside who withholds stays withheld when the call goes out again, by every rule', () => {
  for (const rule of rules) {
    const { from, text } = shown({ callerId: { rule, forwarded: 'original' }, diversion: 'both' }, { ...outside, from: { number: '' } })
    assert.match(from, /anonymous@anonymous\.invalid/)
    assert.match(text, /"Privacy","id"/)
  }
})

test('a call that goes out again shows our number or the original caller’s, as the trunk wants', () => {
  assert.match(shown({}, outside).from, /\+74950000100@/)
  const original = shown({ callerId: { forwarded: 'original' } }, outside)
  assert.match(original.from, /\+79160000001@/)
  assert.deepEqual(original.headers, [['P-Asserted-Identity', '<sip:+74950000100@c.example>']])
  assert.equal(original.number, '+74950000100')
  const chosen = shown({ callerId: { forwarded: 'original' } }, { ...outside, show: { number: '+74950000102' } })
  assert.match(chosen.from, /\+74950000102@/)
  assert.equal(
    shown({ callerId: { rule: 'from', forwarded: 'original' } }, outside).number,
    '+79160000001',
    'not ours: to be signed as such',
  )
})

test('whom a call was meant for is told by Diversion, by History-Info, by both or not at all', () => {
  const told = (diversion: Trunk['diversion'] & string, more: Partial<Trunk> = {}) =>
    shown({ diversion, ...more }, outside).headers.filter(([name]) => name !== 'P-Asserted-Identity')
  const diverted = ['Diversion', '<sip:+74950000101@c.example>;reason=no-answer;counter=1;privacy=off']
  const history = [
    ['History-Info', '<sip:+74950000101@c.example?Reason=SIP%3Bcause%3D408>;index=1'],
    ['History-Info', '<sip:+79160000005@c.example;cause=408>;index=1.1;mp=1'],
  ]
  assert.deepEqual(told('none'), [])
  assert.deepEqual(told('diversion'), [diverted])
  assert.deepEqual(told('history-info'), history)
  assert.deepEqual(told('both'), [diverted, ...history])
  assert.deepEqual(told('both', { callerId: { allowed: ['+74950000100'] } }), [], 'a number that may not be shown there')
  assert.deepEqual(shown({ diversion: 'both' }, {}).headers.length, 1, 'a call of our own was diverted by nobody')
})

test('a phone chooses among the numbers it may show, and gets its own for any other', () => {
  assert.match(shown({}, { preferred: '+74950000102' }).from, /\+74950000102@/)
  for (const preferred of ['+74950000100', '+79990001122', '+442071838750'])
    assert.match(shown({}, { preferred }).from, /\+74950000101@/, preferred)
})

test('an emergency call shows its number whatever was asked', () => {
  for (const rule of rules) {
    const { text, headers } = shown({ callerId: { rule, trusted: false } }, { emergency: true, withheld: true })
    assert.match(text, /\+74950000100/)
    assert.ok(headers.every(([name]) => name !== 'Privacy'))
  }
})

test('numbers of ours are written in their own format and with user=phone where a trunk wants it', () => {
  assert.equal(shown({ numberFormat: { out: 'national', caller: 'e164' } }, {}).from, '<sip:74950000101@c.example>')
  assert.equal(shown({ userPhone: true }, {}).from, '<sip:+74950000101@c.example;user=phone>')
  assert.equal(shown({ userPhone: true, username: 'acme', callerId: { rule: 'pai' } }, {}).from, '<sip:acme@c.example>')
})
