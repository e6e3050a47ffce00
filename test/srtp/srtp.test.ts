import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PhoneCompany, toneOf, type User } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { tonesIn } from '#test/support/sounds.ts'
import { CertificateFiles } from '#test/transports/certificate-files.ts'

/** Long enough to be sure of a tone. */
const listenMs = 2_200
/** Of that, what must have been the one tone: a phone loses some while it starts to listen. */
const toneMs = 800
const ringbackHertz = 420

async function talk(caller: Phone, callee: Phone, number: User): Promise<void> {
  const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
  await caller.call(number)
  await callee.incoming(calleeFrom)
  await callee.answer()
  await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
  await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
}

async function assertHeard(phone: Phone, hertz: number, leastMs = toneMs): Promise<void> {
  const heard = (await tonesIn(await phone.recordings())).filter((tone) => tone.hertz !== ringbackHertz)
  assert.deepEqual([...new Set(heard.map((tone) => tone.hertz))], [hertz], `what ${phone.name} heard`)
  const ms = heard.reduce((sum, tone) => sum + tone.ms, 0)
  assert.ok(ms >= leastMs, `${phone.name} heard ${hertz} Hz for only ${ms} ms`)
}

/** Whether each leg's audio was encrypted, caller first, as the facts at the end of the call tell. */
async function encrypted(company: PhoneCompany, since: number): Promise<boolean[]> {
  const ended = await company.facts.next('call.ended', () => true, since)
  const legs = company.facts.facts
    .slice(since)
    .flatMap((fact) => (fact.kind === 'leg.started' && fact.call === ended.call ? [fact.leg] : []))
  return Promise.all(
    legs.map(async (leg) => (await company.facts.next('leg.quality', (fact) => fact.leg === leg && fact.final, since)).quality.encrypted),
  )
}

describe('phones that encrypt', { skip: noBaresip || noLinphone }, () => {
  let files: CertificateFiles
  before(async () => {
    files = await CertificateFiles.make()
  })
  after(async () => {
    await files[Symbol.asyncDispose]()
  })

  const start = (changes: Parameters<typeof PhoneCompany.start>[1] = {}): Promise<PhoneCompany> =>
    PhoneCompany.start(files.settings, changes)
  /** Over TLS it trusts who vouches for the system. */
  const secure = (company: PhoneCompany, user: User, more: Partial<PhoneOptions> = { encryption: 'required' }): PhoneOptions =>
    company.phone(user, 'tls', { authorities: files.authorities, ...more })

  test('baresip over TLS with SRTP and baresip over UDP in clear hear each other', async () => {
    await using company = await start()
    const begin = company.facts.mark
    {
      await using caller = await Baresip.start(secure(company, '101'))
      await using callee = await Baresip.start(company.phone('102', 'udp'))
      await talk(caller, callee, '102')
      await caller.hangUp()
      await assertHeard(caller, toneOf['102'])
      await assertHeard(callee, toneOf['101'])
      assert.deepEqual(await encrypted(company, begin), [true, false])
    }
  })

  test('a call to a phone over TLS is offered with SRTP, and two phones with SRTP hear each other', async () => {
    await using company = await start()
    const begin = company.facts.mark
    await using caller = await Baresip.start(secure(company, '101'))
    await using callee = await Baresip.start(secure(company, '102'))
    await talk(caller, callee, '102')
    await caller.hangUp()
    await assertHeard(caller, toneOf['102'])
    await assertHeard(callee, toneOf['101'])
    assert.deepEqual(await encrypted(company, begin), [true, true])
  })

  test('a phone over TLS that knows no SRTP is called again in clear, unless encryption is required', async () => {
    for (const encryption of ['offered', 'required']) {
      await using company = await start({ device: { encryption } })
      const begin = company.facts.mark
      await using caller = await Baresip.start(secure(company, '101'))
      await using callee = await Baresip.start(secure(company, '102', {}))
      if (encryption === 'offered') {
        await talk(caller, callee, '102')
        await caller.hangUp()
        await assertHeard(callee, toneOf['101'])
        assert.deepEqual(await encrypted(company, begin), [true, false])
      } else {
        await caller.call('102')
        const ended = await company.facts.next('call.ended', () => true, begin)
        assert.notEqual(ended.outcome.kind, 'answered')
      }
      assert.equal(
        company.facts.facts.slice(begin).filter((fact) => fact.kind === 'leg.redialled').length,
        encryption === 'offered' ? 1 : 0,
      )
    }
  })

  test('over UDP keys are refused, unless the company allows them in clear; linphone and baresip then hear each other', async () => {
    const options = (company: PhoneCompany, user: User): PhoneOptions => company.phone(user, 'udp', { encryption: 'required' })
    {
      await using company = await start()
      const begin = company.facts.mark
      await using caller = await Baresip.start(options(company, '101'))
      await caller.call('102')
      const ended = await company.facts.next('call.ended', () => true, begin)
      assert.match(ended.outcome.detail ?? '', /signalling that is not encrypted/)
    }
    await using company = await start({ company: { mediaKeysInClear: true } })
    const begin = company.facts.mark
    await using caller = await Linphone.start(options(company, '101'))
    await using callee = await Baresip.start(company.phone('102', 'udp'))
    await talk(caller, callee, '102')
    await caller.hangUp()
    await assertHeard(callee, toneOf['101'])
    await assertHeard(caller, toneOf['102'])
    assert.deepEqual(await encrypted(company, begin), [true, false])
  })

  test('an encrypted call outlives the server, and then, by the keys that were kept sealed, its engine', async () => {
    await using company = await start()
    await using caller = await Baresip.start(secure(company, '101'))
    await using callee = await Baresip.start(company.phone('102', 'udp'))
    await talk(caller, callee, '102')
    const { system } = company
    await system.kept(/"kind":"talking"/)
    for (const victim of ['server', 'engine-0']) {
      const from = system.lines.length
      process.kill(await system.pidOf(victim), 'SIGKILL')
      await system.line(new RegExp(`serves again\\s+process=${victim}`), from)
      await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
    }
    await callee.hangUp()
    await assertHeard(caller, toneOf['102'], 3 * toneMs)
    await assertHeard(callee, toneOf['101'], 3 * toneMs)
  })
})
