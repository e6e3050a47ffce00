import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeAll } from '#media/codec/g711.ts'
import { PhoneCompany } from '#test/phones/company.ts'
import { claimPort } from '#test/support/ports.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

const rateHz = 8_000

/** Half a second of nothing, the key 1 for 120 ms (697 and 1,209 Hz, ITU-T Q.23), and nothing again. */
function keyOne(): Int16Array {
  const pcm = new Int16Array(rateHz * 2)
  for (let n = 0; n < 0.12 * rateHz; n++) {
    const at = (hertz: number): number => Math.sin((2 * Math.PI * hertz * n) / rateHz)
    pcm[rateHz / 2 + n] = Math.round(6_000 * (at(697) + at(1_209)))
  }
  return pcm
}

test('a menu obeys a key that SIPp, which knows no telephone-events, sends in its voice', { skip: withoutSipp }, async () => {
  await using company = await PhoneCompany.start()
  const folder = await mkdtemp(join(tmpdir(), 'centrala-keys-'))
  try {
    const sound = join(folder, 'key.alaw')
    await writeFile(sound, encodeAll('PCMA', keyOne()))
    const { port } = company.system.settings.sip
    const phone = {
      authUri: `300@127.0.0.1:${port}`,
      ...{ scenario: 'keys-in-the-voice', address: '127.0.0.1', port: await claimPort() },
      keys: { user: '101', password: 'Telephone.101.secret', dialled: '300', sound },
    }
    const from = company.facts.mark
    await using sipp = await Sipp.call(phone, { address: '127.0.0.1', port })
    const pressed = await company.facts.next('digit.pressed', () => true, from)
    assert.deepEqual([pressed.digit, pressed.by], ['1', 'rtp'])
    const stepped = await company.facts.next('flow.stepped', (fact) => fact.node === 'say', from)
    assert.equal(stepped.via, '1')
    await sipp.done()
    const digits = company.facts.facts.slice(from).filter(({ kind }) => kind === 'digit.pressed')
    assert.equal(digits.length, 1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
