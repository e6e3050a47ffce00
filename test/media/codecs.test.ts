import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { PhoneCompany, toneOf } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import type { PhoneOptions } from '#test/support/phone.ts'
import { tonesIn } from '#test/support/sounds.ts'

type Terms = Required<Pick<PhoneOptions, 'codec' | 'ptimeMs'>>

const listenMs = 1_500
/** How much more baresip writes down a second than of the telephone band: opus as 48 kHz stereo. */
const widthOf = { PCMA: 1, PCMU: 1, G722: 2, opus: 12 } as const
/** Of that, what must have been the one tone: a phone loses some while it starts to listen. */
const toneMs = 800
/** Of Russia, 425 Hz, as `tonesIn` gives it. */
const ringbackHertz = 420

const pairs: readonly (readonly [Terms, Terms])[] = [
  [
    { codec: 'G722', ptimeMs: 20 },
    { codec: 'PCMA', ptimeMs: 20 },
  ],
  [
    { codec: 'PCMA', ptimeMs: 20 },
    { codec: 'G722', ptimeMs: 20 },
  ],
  [
    { codec: 'opus', ptimeMs: 20 },
    { codec: 'PCMU', ptimeMs: 20 },
  ],
  [
    { codec: 'G722', ptimeMs: 20 },
    { codec: 'opus', ptimeMs: 20 },
  ],
  [
    { codec: 'opus', ptimeMs: 20 },
    { codec: 'opus', ptimeMs: 20 },
  ],
  [
    { codec: 'PCMA', ptimeMs: 10 },
    { codec: 'PCMA', ptimeMs: 60 },
  ],
]

describe('phones of different codecs and packet times', { skip: noBaresip }, () => {
  let company: PhoneCompany

  before(async () => {
    company = await PhoneCompany.start()
  })
  after(async () => {
    await company[Symbol.asyncDispose]()
  })

  const assertHeard = async (phone: Baresip, hertz: number): Promise<void> => {
    const heard = (await tonesIn(await phone.recordings())).filter((tone) => tone.hertz !== ringbackHertz)
    assert.ok(
      heard.every((tone) => Math.abs(tone.hertz - hertz) <= 20),
      `${phone.name} heard ${JSON.stringify(heard)}, not ${hertz} Hz`,
    )
    const ms = heard.reduce((sum, tone) => sum + tone.ms, 0)
    assert.ok(ms >= toneMs, `${phone.name} heard ${hertz} Hz for only ${ms} ms`)
  }

  for (const [one, other] of pairs) {
    test(`${one.codec} with ${one.ptimeMs} ms calls ${other.codec} with ${other.ptimeMs} ms, and each hears the other`, async () => {
      const begin = company.facts.mark
      await using caller = await Baresip.start(company.phone('101', 'udp', one))
      await using callee = await Baresip.start(company.phone('102', 'udp', other))
      const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
      await caller.call('102')
      await callee.incoming(calleeFrom)
      await callee.answer()
      await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
      await Promise.all([caller.hears(listenMs * widthOf[one.codec]), callee.hears(listenMs * widthOf[other.codec])])
      const from = callee.said.mark
      await caller.hangUp()
      await callee.ended(from)
      const [call] = await company.history(begin)
      assert.deepEqual(call?.outcome, { kind: 'answered', by: 'caller' })
      await assertHeard(caller, toneOf['102'])
      await assertHeard(callee, toneOf['101'])
    })
  }
})
