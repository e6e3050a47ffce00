import assert from 'node:assert/strict'
import { PidfView } from '#server/presence/pidf.ts'
import { readPidf } from '#server/presence/read-pidf.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const said = { open: true, activity: 'meeting', note: 'Back <at> two & later' }

/** What phones publish of their people: read, written anew for watchers, and read again it is the same. */
export const pidfTarget: FuzzTarget = {
  name: 'pidf',
  seeds: () =>
    [
      new PidfView(
        'sip:101@acme',
        () => 'available',
        () => said,
      ).full(),
      '<presence><tuple><status><basic>closed</basic></status></tuple><note><![CDATA[a]]>&#65;&amp;</note><!-- x --></presence>',
      '<?xml version="1.0"?><p:presence xmlns:p="urn:x"><r:activities><r:away/><r:nap/></r:activities></p:presence>',
    ].map((text) => Buffer.from(text)),
  run(bytes) {
    const read = readPidf(Buffer.from(bytes).toString('utf8'))
    if (read === null) return 'none'
    const again = readPidf(
      new PidfView(
        'sip:101@acme',
        () => 'available',
        () => read,
      ).full(),
    )
    assert.equal(again?.activity, read.activity)
    return `${read.open} ${read.activity} ${read.note === null ? 'silent' : 'a note'}`
  },
}
