import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneCompany } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import { claimPort } from '#test/support/ports.ts'
import { until } from '#test/support/sounds.ts'
import { Sipp, withoutSipp } from '#test/trunks/sipp.ts'

/** Real phones that watch each other. */
let company: PhoneCompany

before(async () => {
  company = await PhoneCompany.start()
})
after(() => company[Symbol.asyncDispose]())

test('baresip shows a colleague come, talk and go, and hears that no message waits', { skip: noBaresip }, async () => {
  await using watcher = await Baresip.start(company.phone('101', 'udp', { watches: ['102'] }))
  await watcher.said.next(/^MWI_NOTIFY/)
  await watcher.printed.next(/^Messages-Waiting: no/)
  // Its first document says that nobody is there, which it takes for granted.
  await watcher.printed.next(/<basic>closed/)
  {
    await using other = await Baresip.start(company.phone('102', 'udp'))
    await watcher.printed.next(/sip:102@\S+> changed status from .*Offline.* to .*Online/)
    const [talks, hears] = [other.said.mark, watcher.said.mark]
    await other.call('101')
    await watcher.incoming(hears)
    await watcher.answer()
    await other.talking(talks)
    await watcher.printed.next(/sip:102@\S+> changed status from .*Online.* to .*Busy/)
    await other.hangUp()
    await watcher.printed.next(/sip:102@\S+> changed status from .*Busy.* to .*Online/)
  }
  await watcher.printed.next(/sip:102@\S+> changed status from .*Online.* to .*Offline/)
})

test('linphone, which goes by its GRUU, shows a colleague come and go, and is called there', {
  skip: noLinphone || noBaresip,
}, async () => {
  await using watcher = await Linphone.start(company.phone('103', 'udp', { watches: ['102'] }))
  await watcher.said.next(/Friend .*102@.* is Offline/)
  await using other = await Baresip.start(company.phone('102', 'udp'))
  await watcher.said.next(/Friend .*102@.* is Online/)
  const [talks, hears] = [other.said.mark, watcher.said.mark]
  await other.call('103')
  await watcher.incoming(hears)
  await watcher.answer()
  await other.talking(talks)
  await watcher.said.next(/Friend .*102@.* is On the phone/i)
  await watcher.hangUp()
  await other.ended(talks)
  assert.deepEqual(company.facts.of('alarm.raised'), [])
})

test('what is written on a linphone is read on another and on a baresip', { skip: noLinphone || noBaresip }, async () => {
  await using writer = await Linphone.start(company.phone('101', 'udp'))
  await using reader = await Linphone.start(company.phone('103', 'udp'))
  await using other = await Baresip.start(company.phone('102', 'udp'))
  await writer.write('103', 'Lunch at one')
  await reader.said.next(/Lunch at one/)
  await reader.write('102', 'With you')
  await other.printed.next(/With you/)
  const { delivered, sip } = await company.facts.next('message.sent', (fact) => fact.to === '102')
  assert.deepEqual([delivered, sip], [1, 200])
})

test('SIPp watches the lamp of a phone that is called, rings, talks and hangs up', { skip: withoutSipp || noBaresip }, async () => {
  await using caller = await Baresip.start(company.phone('101', 'udp'))
  await using callee = await Baresip.start(company.phone('103', 'udp'))
  const { port } = company.system.settings.sip
  const lamp = {
    authUri: `103@127.0.0.1:${port}`,
    ...{ scenario: 'watches-a-lamp', address: '127.0.0.1', port: await claimPort() },
    keys: { user: '102', password: 'Telephone.102.secret', watched: '103' },
  }
  await using sipp = await Sipp.call(lamp, { address: '127.0.0.1', port })
  const seen = (pattern: RegExp): Promise<void> =>
    until(`SIPp sees ${pattern}`, async () => (await sipp.requests('NOTIFY')).some(({ text }) => pattern.test(text)))
  await seen(/state="full"/)
  const [talks, hears] = [caller.said.mark, callee.said.mark]
  await caller.call('103')
  await callee.incoming(hears)
  await seen(/<state>early/)
  await callee.answer()
  await caller.talking(talks)
  await seen(/<state>confirmed/)
  await caller.hangUp()
  await sipp.done()
})

test('SIPp watches where a phone is registered while a baresip comes and goes', { skip: withoutSipp || noBaresip }, async () => {
  const { port } = company.system.settings.sip
  const watcher = {
    authUri: `102@127.0.0.1:${port}`,
    ...{ scenario: 'watches-registration', address: '127.0.0.1', port: await claimPort() },
    keys: { user: '102', password: 'Telephone.102.secret' },
  }
  await using sipp = await Sipp.call(watcher, { address: '127.0.0.1', port })
  const seen = (pattern: RegExp): Promise<void> =>
    until(`SIPp sees ${pattern}`, async () => (await sipp.requests('NOTIFY')).some(({ text }) => pattern.test(text)))
  await seen(/state="terminated"/)
  {
    await using phone = await Baresip.start(company.phone('102', 'udp'))
    await seen(/<contact [^>]*state="active"[^>]*>\s*<uri>sip:102-/)
    assert.equal(phone.name, 'baresip 102')
  }
  await sipp.done()
})

test('a baresip that keeps a flow open is told for how long, and is called over it', { skip: noBaresip }, async () => {
  await using callee = await Baresip.start(company.phone('103', 'tcp', { outbound: true }))
  await callee.printed.next(/^Require: outbound/, 0)
  await callee.printed.next(/^Flow-Timer: 120/, 0)
  await using caller = await Baresip.start(company.phone('101', 'udp'))
  const [talks, hears] = [caller.said.mark, callee.said.mark]
  await caller.call('103')
  await callee.incoming(hears)
  await callee.answer()
  await caller.talking(talks)
  const ends = callee.said.mark
  await caller.hangUp()
  await callee.ended(ends)
})
