import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PhoneCompany, toneOf } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import type { Phone } from '#test/support/phone.ts'
import { tonesIn } from '#test/support/sounds.ts'

const listenMs = 1_200

describe('transfers after asking', { skip: noBaresip || noLinphone }, () => {
  let company: PhoneCompany

  before(async () => {
    company = await PhoneCompany.start()
  })
  after(async () => {
    await company[Symbol.asyncDispose]()
  })

  /** `caller` talks with `callee`; both have heard something. */
  const connect = async (caller: Phone, callee: Phone, number: string): Promise<void> => {
    const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
    await caller.call(number)
    await callee.incoming(calleeFrom)
    await callee.answer()
    await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
    await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
  }

  const heardLast = async (phone: Phone): Promise<number | undefined> => (await tonesIn(await phone.recordings())).at(-1)?.hertz

  test('a linphone asks a colleague, connects the two, and is out of both calls; one call has the true parties', async () => {
    const begin = company.facts.mark
    await using party = await Baresip.start(company.phone('101', 'udp'))
    await using transferor = await Linphone.start(company.phone('102', 'udp'))
    await using target = await Baresip.start(company.phone('103', 'udp'))
    await connect(party, transferor, '102')
    await transferor.hold()
    await connect(transferor, target, '103')
    const [partyFrom, targetFrom] = [party.said.mark, target.said.mark]
    await transferor.connect(1, 2)
    await company.facts.next('transfer.completed', (fact) => fact.attended === true, begin)
    await Promise.all([party.hears(listenMs), target.hears(listenMs)])
    await party.hangUp()
    await target.ended(targetFrom)
    const calls = await company.history(begin)
    assert.deepEqual(
      calls.map((call) => [call.from.number, call.to.number, call.outcome.kind, call.legs.map((leg) => leg.endpoint.number)]),
      [
        ['101', '102', 'answered', ['101', '102', '103']],
        ['102', '103', 'transferred', ['102', '103']],
      ],
    )
    assert.deepEqual([await heardLast(party), await heardLast(target)], [toneOf['103'], toneOf['101']])
    assert.ok(partyFrom >= 0)
  })

  for (const end of ['complete', 'cancel'] as const) {
    test(`through the API somebody asks a colleague while the caller hears music, and then ${end === 'complete' ? 'connects them' : 'comes back'}`, async () => {
      const begin = company.facts.mark
      await using party = await Linphone.start(company.phone('101', 'udp'))
      await using transferor = await Baresip.start(company.phone('102', 'udp'))
      await using target = await Baresip.start(company.phone('103', 'udp'))
      await connect(party, transferor, '102')
      const started = await company.facts.next('call.started', () => true, begin)
      const from = target.said.mark
      const url = `/v1/calls/${started.call}/consultation`
      await company.api.give('POST', url, { by: '102', to: '103' })
      await target.incoming(from)
      await target.answer()
      await target.talking(from)
      await Promise.all([transferor.hears(listenMs), target.hears(listenMs), party.hears(listenMs)])
      if (end === 'complete') {
        await company.api.give('POST', `${url}/complete`)
        await company.facts.next('transfer.completed', (fact) => fact.attended === true, begin)
        await Promise.all([party.hears(listenMs), target.hears(listenMs)])
        assert.equal((await company.api.ask('POST', `${url}/complete`)).status, 409)
      } else {
        await company.api.give('DELETE', url)
        await target.ended(from)
        await Promise.all([party.hears(listenMs), transferor.hears(listenMs)])
      }
      await party.hangUp()
      const [call, ...others] = await company.history(begin)
      assert.deepEqual(others, [])
      assert.deepEqual(
        call?.legs.map((leg) => [leg.endpoint.number, leg.outcome?.kind]),
        [
          ['101', 'answered'],
          ['102', end === 'complete' ? 'transferred' : 'answered'],
          ['103', end === 'complete' ? 'answered' : 'cancelled'],
        ],
      )
      const last = end === 'complete' ? '103' : '102'
      assert.equal(await heardLast(party), toneOf[last])
    })
  }
})
