import assert from 'node:assert/strict'
import { test } from 'node:test'
import { musicHertz, PhoneCompany, toneOf } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { tonesIn } from '#test/support/sounds.ts'

const listenMs = 1_500

test('a baresip parks its caller by transfer, who hears the company’s music; another dials the slot, and the two hear each other', {
  skip: noBaresip,
}, async () => {
  await using company = await PhoneCompany.start()
  const begin = company.facts.mark
  await using caller = await Baresip.start(company.phone('101', 'udp'))
  await using parker = await Baresip.start(company.phone('102', 'udp'))
  await using third = await Baresip.start(company.phone('103', 'udp'))
  const [callerFrom, parkerFrom, thirdFrom] = [caller.said.mark, parker.said.mark, third.said.mark]
  await caller.call('102')
  await parker.incoming(parkerFrom)
  await parker.answer()
  await Promise.all([caller.talking(callerFrom), parker.talking(parkerFrom)])
  await parker.hears(listenMs)
  await parker.transfer('*701')
  await company.facts.next('call.parked', ({ slot, by }) => slot === '*701' && by === '102', begin)
  await parker.ended(parkerFrom)
  await caller.hears(listenMs)
  await third.call('*701')
  await third.talking(thirdFrom)
  await company.facts.next('call.unparked', ({ why }) => why === 'picked-up', begin)
  await Promise.all([caller.hears(listenMs), third.hears(listenMs)])
  await caller.hangUp()
  await third.ended(thirdFrom)
  const heard = async (phone: Baresip): Promise<(number | undefined)[]> =>
    (await tonesIn(await phone.recordings())).map(({ hertz }) => hertz)
  const [byCaller, byThird] = [await heard(caller), await heard(third)]
  assert.ok(byCaller.includes(musicHertz), `music, of ${byCaller.join(', ')} Hz`)
  assert.equal(byCaller.at(-1), toneOf['103'])
  assert.equal(byThird.at(-1), toneOf['101'])
  const calls = await company.history(begin)
  assert.deepEqual(
    calls.map(({ outcome, legs }) => [outcome.kind, legs.map((leg) => leg.endpoint.number)]),
    [['answered', ['101', '102', '103']]],
  )
})
