import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PidfView } from '#server/presence/pidf.ts'
import { readPidf } from '#server/presence/read-pidf.ts'

const head = '<?xml version="1.0"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:a@b">'

test('what phones write is read: baresip’s, linphone’s, and RPID with a prefix and without', () => {
  const baresip = `${head}<dm:person id="p4159"><rpid:activities/></dm:person><tuple id="t4109"><status><basic>closed</basic></status><contact>sip:a@b</contact></tuple></presence>`
  assert.deepEqual(readPidf(baresip), { open: false, activity: null, note: null })
  const linphone = `${head}\n<tuple id="x"><status><basic>open</basic></status></tuple><p1:person id="y"><r:activities><r:away/></r:activities><p1:note>  Back\n at 2 &amp; later </p1:note></p1:person></presence>\n`
  assert.deepEqual(readPidf(linphone), { open: true, activity: 'away', note: 'Back at 2 & later' })
  const plain = `<presence><activities><nap/><meeting /><busy/></activities><note><![CDATA[<x>]]></note><!-- <busy/> --></presence>`
  assert.deepEqual(readPidf(plain), { open: null, activity: 'meeting', note: '<x>' })
  assert.equal(
    readPidf(`${head}<tuple><status><basic>closed</basic></status></tuple><tuple><status><basic>open</basic></status></tuple></presence>`)
      ?.open,
    true,
  )
})

test('what is no document is refused: cut, crossed, of another kind, with a document type', () => {
  for (const text of [
    ...[
      '',
      'open',
      '<presence>',
      '<presence></tuple>',
      '<presence><a></presence></a>',
      '<presence/><presence/>',
      '<pidf/>',
      '<',
      '<presence',
    ],
    ...[
      '<!DOCTYPE presence [<!ENTITY a "aa">]><presence>&a;</presence>',
      '<presence/>x',
      '<presence><!-- ',
      `<presence>${'<a>'.repeat(40)}`,
    ],
  ])
    assert.equal(readPidf(text), null, text)
  assert.equal(readPidf('<presence><note>&a;&#0;&#65;&#x110000;</note></presence>')?.note, '&a;A')
})

test('what we write ourselves can be read, whatever stands in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (entity) => {
      assert.equal(readPidf(new PidfView(entity, () => 'available').full())?.open, true)
    }),
  )
})

test('any text is read or refused, and time grows with its length alone', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void readPidf(text)))
  const parts = fc.constantFrom(
    '<presence>',
    '</presence>',
    '<note>',
    '</note>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '&amp;',
    'x',
    '<a/>',
  )
  fc.assert(fc.property(fc.array(parts, { maxLength: 60 }), (list) => void readPidf(list.join(''))))
  for (const part of ['<!--', '<a>', '&lt;', '<![CDATA[', '</a', '&#']) assert.equal(readPidf(`<presence>${part.repeat(4_000)}`), null)
})
