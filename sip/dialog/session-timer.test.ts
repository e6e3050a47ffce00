import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { linesOfAnswer, linesOfInvite, minSeOf, termsOfRequest, termsOfResponse } from '#sip/dialog/session-timer.ts'
import { parseReplaces, replacesOfUri } from '#sip/dialog/replaces.ts'
import { rackOf, reliableSeqOf } from '#sip/dialog/rack.ts'
import { SipHeaders } from '#sip/message/headers.ts'

const of = (lines: Record<string, string>): SipHeaders => SipHeaders.of(Object.entries(lines))
const settings = { expires: 1_800, min: 90 }

describe('who refreshes (RFC 4028 §9, table 2)', () => {
  const table: [supported: boolean, asked: string | null, refresher: 'us' | 'peer' | null][] = [
    [true, '1800', 'peer'],
    [true, '1800;refresher=uac', 'peer'],
    [true, '1800;refresher=uas', 'us'],
    [true, null, 'peer'],
    [false, '1800', 'us'],
    [false, '1800;refresher=uas', 'us'],
    [false, null, null],
  ]
  for (const [supported, asked, refresher] of table) {
    test(`a caller that ${supported ? 'knows' : 'does not know'} timers and asks ${asked ?? 'nothing'}: ${refresher ?? 'nobody'}`, () => {
      const terms = termsOfRequest(
        of({ ...(supported && { Supported: 'timer' }), ...(asked !== null && { 'Session-Expires': asked }) }),
        settings,
      )
      assert.ok(terms === null || 'refresher' in terms)
      assert.equal(terms?.refresher ?? null, refresher)
    })
  }
})

test('an interval is cut to ours, but never below Min-SE', () => {
  const asked = (lines: Record<string, string>) => termsOfRequest(of({ Supported: 'timer', ...lines }), settings)
  assert.deepEqual(asked({ 'Session-Expires': '7200' }), { expires: 1_800, refresher: 'peer' })
  assert.deepEqual(asked({ 'Session-Expires': '7200', 'Min-SE': '3600' }), { expires: 3_600, refresher: 'peer' })
  assert.deepEqual(asked({ 'Session-Expires': '60' }), { min: 90 })
  assert.deepEqual(termsOfRequest(of({ 'Session-Expires': '60' }), settings), { expires: 90, refresher: 'us' })
})

test('what we say and what we hear are the same terms, seen from both sides', () => {
  for (const refresher of ['us', 'peer'] as const) {
    const heard = termsOfResponse(SipHeaders.of(linesOfAnswer({ expires: 120, refresher })))
    assert.deepEqual(heard, { expires: 120, refresher: refresher === 'us' ? 'peer' : 'us' })
  }
  assert.equal(termsOfResponse(of({})), null)
  assert.deepEqual(linesOfInvite(0, 90), [])
  assert.equal(minSeOf(of({ 'Min-SE': '300;x=y' })), 300)
})

test('Replaces is read with both tags, or not at all (RFC 3891 §6.1)', () => {
  assert.deepEqual(parseReplaces('a@b;from-tag=f;to-tag=t'), { callId: 'a@b', toTag: 't', fromTag: 'f', earlyOnly: false })
  assert.deepEqual(parseReplaces(' a@b ; to-tag=t ; from-tag=f ; early-only ; x=y')?.earlyOnly, true)
  for (const bad of ['', 'a', 'a;to-tag=t', 'a;to-tag=t;from-tag=', 'a;to-tag=t;to-tag=u;from-tag=f', 'a b;to-tag=t;from-tag=f'])
    assert.equal(parseReplaces(bad), null, bad)
})

test('a Refer-To carries it escaped (RFC 3891 §3)', () => {
  assert.deepEqual(replacesOfUri('sip:1@x?Replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df'), {
    callId: 'a@b',
    toTag: 't',
    fromTag: 'f',
    earlyOnly: false,
  })
  assert.equal(replacesOfUri('sip:1@x?Subject=hi'), null)
  assert.equal(replacesOfUri('sip:1@x?Replaces=nonsense'), 'bad')
  assert.equal(replacesOfUri('sip:1@x?Replaces=a%3Bto-tag%3Dt%3Bfrom-tag%3Df&replaces=a'), 'bad')
})

test('no text in these headers is read as more than it says, and none throws', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseReplaces(text)
      replacesOfUri(`sip:x@y?Replaces=${text}`)
      const headers = of({ RAck: text, RSeq: text, Require: '100rel', To: '<sip:x@y>;tag=t', 'Session-Expires': text, Supported: 'timer' })
      assert.ok(rackOf(headers) === null || /\d/.test(text))
      assert.ok(reliableSeqOf(headers) === null || /^\s*\d+\s*$/.test(text))
      const terms = termsOfRequest(headers, settings)
      assert.ok(terms === null || 'min' in terms || (terms.expires >= 90 && terms.expires <= 2 ** 31))
    }),
  )
})
