import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { DialogInfoView } from '#server/presence/dialog-info.ts'
import { type LineDialog, LineDialogs } from '#server/presence/line-dialogs.ts'
import { MessageSummaryView } from '#server/presence/message-summary.ts'
import { PidfView, type PresenceState } from '#server/presence/pidf.ts'
import type { SaidPresence } from '#server/presence/read-pidf.ts'
import { xml } from '#server/presence/xml.ts'
import type { Fact, NewFact } from '#contract/facts.ts'

/** Phones of one company, whose calls are told by hand. */
function lines() {
  const changed: string[] = []
  const dialogs = new LineDialogs((tenant, device) => void changed.push(`${tenant}/${device}`))
  let seq = 0
  const tell = (call: string, fact: Partial<NewFact> & { kind: Fact['kind'] }): void =>
    dialogs.hear({ tenant: 'acme', call, at: 0, seq: ++seq, ...fact } as Fact)
  const leg = (id: string, role: 'caller' | 'callee', number: string): void => {
    const endpoint = { kind: 'device' as const, id: `phone-${number}`, number, name: `Phone ${number}` }
    tell(id.split('.')[0] ?? '', { kind: 'leg.started', leg: id, role, endpoint, sip: `sip-${id}` })
  }
  const seen = (device: string): string[] =>
    dialogs.of('acme', device).map((d) => `${d.direction} ${d.state}${d.held ? ' held' : ''} ${d.remote.number}`)
  return { changed, dialogs, tell, leg, seen }
}

function begin({ tell, leg }: ReturnType<typeof lines>): void {
  tell('c', { kind: 'call.started', direction: 'internal', from: { number: '101' }, to: { number: '102' }, config: 1 })
  leg('c.1', 'caller', '101')
  leg('c.2', 'callee', '102')
}

test('a call is seen on both phones, from dialling to the end', () => {
  const office = lines()
  const { tell, seen, changed } = office
  begin(office)
  assert.deepEqual([seen('phone-101'), seen('phone-102')], [['initiator trying 102'], []], 'a phone that has not rung is not shown')
  tell('c', { kind: 'leg.ringing', leg: 'c.2', earlyMedia: false })
  tell('c', { kind: 'leg.answered', leg: 'c.2' })
  tell('c', { kind: 'leg.held', leg: 'c.2', by: 'callee' })
  assert.deepEqual(seen('phone-102'), ['recipient confirmed held 101'])
  tell('c', { kind: 'leg.resumed', leg: 'c.2', by: 'callee' })
  tell('c', { kind: 'leg.ended', leg: 'c.2', outcome: { kind: 'answered', by: 'callee' } })
  assert.deepEqual([seen('phone-101'), seen('phone-102')], [['initiator trying 102'], []])
  tell('c', { kind: 'call.ended', outcome: { kind: 'answered', by: 'callee' } })
  assert.deepEqual(seen('phone-101'), [])
  assert.equal(changed.filter((each) => each === 'acme/phone-102').length, 5)
})

test('after a transfer a phone is seen talking with whom it was joined', () => {
  const office = lines()
  begin(office)
  office.leg('c.3', 'callee', '103')
  office.tell('c', { kind: 'leg.answered', leg: 'c.3' })
  office.tell('c', { kind: 'bridge.joined', legs: ['c.1', 'c.3'] })
  assert.deepEqual([office.seen('phone-101'), office.seen('phone-103')], [['initiator trying 103'], ['recipient confirmed 101']])
})

test('facts of calls that are not known, and legs on trunks, are nobody’s', () => {
  const office = lines()
  office.leg('u.1', 'caller', '101')
  office.tell('c', { kind: 'call.started', direction: 'inbound', from: { number: '+7900' }, to: { number: '101' }, config: 1 })
  office.tell('c', { kind: 'leg.started', leg: 'c.1', role: 'caller', endpoint: { kind: 'trunk', id: 'phone-101', number: '+7900' } })
  assert.deepEqual([office.seen('phone-101'), office.changed], [[], []])
})

const dialog = (parts: Partial<LineDialog> = {}): LineDialog => ({
  ...{ id: 'a.1', device: 'd', sip: 'x@y', direction: 'recipient', state: 'early', held: false, remote: { number: '102', name: 'Eve' } },
  ...parts,
})

test('dialog-info tells the whole first, then only what changed, and what is gone as terminated', () => {
  let now = [dialog(), dialog({ id: 'b.1', direction: 'initiator', state: 'confirmed' })]
  const view = new DialogInfoView({ entity: 'sip:101@acme', domain: () => 'acme', dialogs: () => now, showsRemote: () => true })
  const full = view.full(0)
  assert.match(full, /version="0" state="full" entity="sip:101@acme"/)
  assert.match(full, /<dialog id="a.1" call-id="x@y" direction="recipient"><state>early<\/state>/)
  assert.match(full, /<remote><identity display="Eve">sip:102@acme<\/identity>/)
  assert.equal(view.changes(1), null)
  now = [dialog({ state: 'confirmed', held: true })]
  const partial = view.changes(1) ?? ''
  assert.match(partial, /state="partial"/)
  assert.match(partial, /<dialog id="a.1"[^>]*><state>confirmed<\/state>.*pname="\+sip.rendering" pval="no"/)
  assert.match(partial, /<dialog id="b.1" direction="initiator"><state>terminated<\/state><\/dialog>/)
  assert.equal(view.changes(2), null)
})

test('who may not know whom a colleague talks with sees neither name nor Call-ID; a withheld number stays so', () => {
  const of = (shown: boolean, one: LineDialog): string =>
    new DialogInfoView({ entity: 'sip:101@acme', domain: () => 'acme', dialogs: () => [one], showsRemote: () => shown }).full(0)
  assert.doesNotMatch(of(false, dialog()), /Eve|102|x@y|remote/)
  assert.match(of(true, dialog({ remote: { number: '' } })), /sip:anonymous@anonymous\.invalid/)
})

test('PIDF tells open and closed, and who is on the phone, and says nothing twice', () => {
  let state: PresenceState = 'offline'
  const view = new PidfView('sip:101@acme', () => state)
  assert.match(view.full(), /<basic>closed<\/basic>/)
  assert.equal(view.changes(), null)
  state = 'on-the-phone'
  assert.match(view.changes() ?? '', /<basic>open<\/basic>[^]*<rpid:on-the-phone\/>/)
  state = 'available'
  assert.doesNotMatch(view.changes() ?? '', /on-the-phone\/>/)
})

test('what somebody says of themselves stands in PIDF, below a call and above nothing, and is told when it changes', () => {
  let state: PresenceState = 'available'
  let said: SaidPresence | null = { open: true, activity: 'away', note: 'Lunch <till two>' }
  const view = new PidfView(
    'sip:101@acme',
    () => state,
    () => said,
  )
  assert.match(view.full(), /<note>Lunch &lt;till two&gt;<\/note>[^]*<rpid:away\/>/)
  assert.equal(view.changes(), null)
  state = 'on-the-phone'
  const talking = view.changes() ?? ''
  assert.match(talking, /<note>Lunch[^]*<rpid:on-the-phone\/>/)
  assert.doesNotMatch(talking, /away/)
  said = null
  assert.match(view.changes() ?? '', /<note xml:lang="en">On the phone<\/note>/)
})

test('a phone without a mailbox has no messages waiting; one with new messages has', () => {
  const none = new MessageSummaryView('sip:101@acme', () => null)
  assert.equal(none.full(), 'Messages-Waiting: no\r\nMessage-Account: sip:101@acme\r\n')
  const some = new MessageSummaryView('sip:101@acme', () => ({ unheard: 2, heard: 8, urgentUnheard: 0, urgentHeard: 2 }))
  assert.match(some.full(), /^Messages-Waiting: yes\r\n[^]*Voice-Message: 2\/8 \(0\/2\)\r\n$/)
})

test('any text becomes XML that a reader takes, and gives back what it may hold', () => {
  const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 30 }), 200)
  const hostile = ['<script>&"\'', ']]><!--', '\u0000\u0008\ud800x', 'Ёжик 📞', '\r\n\t', '\ufffe\uffff']
  const documents = [...hostile, ...texts].map((text) => `<a b="${xml(text)}">${xml(text)}</a>`)
  const read = JSON.parse(
    execFileSync('python3', ['-c', READER], { input: JSON.stringify(documents), encoding: 'utf8', maxBuffer: 2 ** 24 }),
  ) as [string, string][]
  for (const [i, [attribute, content]] of read.entries()) {
    const text = [...hostile, ...texts][i] ?? ''
    const kept = text.toWellFormed().replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/gu, '')
    assert.deepEqual([attribute, content], [kept, kept])
  }
})

test('the documents are XML whatever people and numbers are called', () => {
  const nasty = '"><&\'\u0007</dialog>'
  const view = new DialogInfoView({
    entity: `sip:${nasty}@acme`,
    domain: () => 'acme',
    dialogs: () => [dialog({ id: nasty, sip: nasty, remote: { number: nasty, name: nasty } })],
    showsRemote: () => true,
  })
  const documents = [view.full(0), new PidfView(`sip:${nasty}@acme`, () => 'ringing').full()]
  execFileSync('python3', ['-c', 'import sys,json,xml.etree.ElementTree as e\nfor d in json.load(sys.stdin): e.fromstring(d.encode())'], {
    input: JSON.stringify(documents),
  })
})

/** A foreign reader of XML. */
const READER = `
import sys, json, xml.etree.ElementTree as e
found = []
for d in json.load(sys.stdin):
    a = e.fromstring(d.encode())
    found.append([a.get('b') or '', a.text or ''])
print(json.dumps(found))
`
