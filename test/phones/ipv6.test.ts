import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { PhoneCompany, toneOf, type User } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { tonesIn } from '#test/support/sounds.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))
const listenMs = 1_500
/** Of that, what must have been the one tone: a phone loses some while it starts to listen. */
const toneMs = 800
/** Of Russia, 425 Hz, as `tonesIn` gives it. */
const ringbackHertz = 420

describe('phones that have IPv6', { skip: noBaresip || (hasIpv6 ? false : 'this machine has no IPv6') }, () => {
  let company: PhoneCompany

  before(async () => {
    company = await PhoneCompany.start({ CENTRALA_SIP_ADDRESSES: '127.0.0.1,::1' })
  })
  after(async () => {
    await company[Symbol.asyncDispose]()
  })

  const open = (user: User, family: 4 | 6): Promise<Baresip> =>
    Baresip.start(company.phone(user, 'udp', family === 6 ? { server: `[::1]:${company.system.settings.sip.port}` } : {}))

  for (const [one, other] of [
    [6, 6],
    [6, 4],
    [4, 6],
  ] as const) {
    test(`a baresip with IPv${one} calls one with IPv${other}, and each hears the other`, async () => {
      await using caller = await open('101', one)
      await using callee = await open('102', other)
      const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
      await caller.call('102')
      await callee.incoming(calleeFrom)
      await callee.answer()
      await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
      await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
      const from = callee.said.mark
      await caller.hangUp()
      await callee.ended(from)
      for (const [phone, hertz] of [
        [caller, toneOf['102']],
        [callee, toneOf['101']],
      ] as const) {
        const heard = (await tonesIn(await phone.recordings())).filter((tone) => tone.hertz !== ringbackHertz)
        assert.deepEqual(
          heard.map((tone) => tone.hertz),
          [hertz],
          `what ${phone.name} heard`,
        )
        assert.ok((heard[0]?.ms ?? 0) >= toneMs)
      }
    })
  }
})
