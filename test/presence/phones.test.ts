import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PhoneCompany } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'

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
