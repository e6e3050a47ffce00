import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { chosenHertz, menuHertz, musicHertz, PhoneCompany, toneOf, type User } from '#test/phones/company.ts'
import { Baresip, noBaresip } from '#test/support/baresip.ts'
import { Linphone, noLinphone } from '#test/support/linphone.ts'
import type { Phone, PhoneOptions } from '#test/support/phone.ts'
import { tonesIn } from '#test/support/sounds.ts'

const programs = {
  baresip: (options: PhoneOptions): Promise<Phone> => Baresip.start(options),
  linphone: (options: PhoneOptions): Promise<Phone> => Linphone.start(options),
} as const
type Program = keyof typeof programs
const both: readonly (readonly [Program, Program])[] = [
  ['baresip', 'linphone'],
  ['linphone', 'baresip'],
]

/** Long enough to be sure of a tone, short enough for many tests. */
const listenMs = 2_000
/** Of that, what must have been the one tone: a phone loses some while it starts to listen. */
const toneMs = 800
/** Of Russia, 425 Hz, as `tonesIn` gives it. */
const ringbackHertz = 420

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'))

describe('real phones', { skip: noBaresip || noLinphone }, () => {
  let company: PhoneCompany

  before(async () => {
    company = await PhoneCompany.start(hasIpv6 ? { CENTRALA_SIP_ADDRESSES: '127.0.0.1,::1' } : {})
  })
  after(async () => {
    await company[Symbol.asyncDispose]()
  })

  const open = (program: Program, user: User, transport: 'udp' | 'tcp' = 'udp', more: Partial<PhoneOptions> = {}): Promise<Phone> =>
    programs[program](company.phone(user, transport, more))

  /** Both talk, and have heard something. */
  const connect = async (caller: Phone, callee: Phone, number: string): Promise<void> => {
    const [callerFrom, calleeFrom] = [caller.said.mark, callee.said.mark]
    await caller.call(number)
    await callee.incoming(calleeFrom)
    await callee.answer()
    await Promise.all([caller.talking(callerFrom), callee.talking(calleeFrom)])
    await Promise.all([caller.hears(listenMs), callee.hears(listenMs)])
  }

  /** It heard these tones in this order and nothing else, but for ringback. */
  const assertHeard = async (phone: Phone, ...hertz: readonly number[]): Promise<void> => {
    const heard = (await tonesIn(await phone.recordings())).filter((tone) => tone.hertz !== ringbackHertz)
    assert.deepEqual(
      heard.map((tone) => tone.hertz),
      hertz,
      `what ${phone.name} heard`,
    )
    for (const tone of heard) assert.ok(tone.ms >= toneMs, `${phone.name} heard ${tone.hertz} Hz for only ${tone.ms} ms`)
  }

  for (const transport of ['udp', 'tcp'] as const) {
    for (const [one, other] of both) {
      test(`${one} calls ${other}, both over ${transport}, and each hears the other`, async () => {
        const begin = company.facts.mark
        await using caller = await open(one, '101', transport)
        await using callee = await open(other, '102', transport)
        const { devices } = await company.api.get<{ devices: { username: string; contacts: { transport: string }[] }[] }>('/v1/devices')
        const transports = devices
          .filter((device) => device.username !== '103')
          .flatMap((device) => device.contacts.map((contact) => contact.transport))
        assert.deepEqual(transports, [transport, transport])
        await connect(caller, callee, '102')
        const from = callee.said.mark
        await caller.hangUp()
        await callee.ended(from)
        const [call] = await company.history(begin)
        assert.deepEqual([call?.outcome, call?.answeredBy?.number, call?.missed], [{ kind: 'answered', by: 'caller' }, '102', false])
        await assertHeard(caller, toneOf['102'])
        await assertHeard(callee, toneOf['101'])
      })
    }
  }

  for (const [one, other] of [
    [6, 6],
    [6, 4],
    [4, 6],
  ] as const) {
    test(`a baresip with IPv${one} calls one with IPv${other}, and each hears the other`, { skip: !hasIpv6 }, async () => {
      const over = (family: 4 | 6): Partial<PhoneOptions> => (family === 6 ? { server: `[::1]:${company.system.settings.sip.port}` } : {})
      const begin = company.facts.mark
      await using caller = await open('baresip', '101', 'udp', over(one))
      await using callee = await open('baresip', '102', 'udp', over(other))
      await connect(caller, callee, '102')
      const from = callee.said.mark
      await caller.hangUp()
      await callee.ended(from)
      await company.history(begin)
      await assertHeard(caller, toneOf['102'])
      await assertHeard(callee, toneOf['101'])
    })
  }

  for (const [one, other] of both) {
    test(`whom ${one} puts on hold hears the company's music, and then ${one} again`, async () => {
      const begin = company.facts.mark
      await using holder = await open(one, '101')
      await using held = await open(other, '102')
      await connect(holder, held, '102')
      const from = company.facts.mark
      await holder.hold()
      await company.facts.next('leg.held', () => true, from)
      await held.hears(listenMs)
      await holder.resume()
      await company.facts.next('leg.resumed', () => true, from)
      // baresip 1.0.0 stays deaf after a hold of its own, also when no system stands between.
      await Promise.all([held.hears(listenMs), one === 'baresip' ? null : holder.hears(listenMs)])
      const end = held.said.mark
      await holder.hangUp()
      await held.ended(end)
      await company.history(begin)
      await assertHeard(held, toneOf['101'], musicHertz, toneOf['101'])
      await assertHeard(holder, toneOf['102'])
    })
  }

  for (const [one, other] of both) {
    test(`${one} transfers ${other} to a third phone without asking it first, and is out of the call`, async () => {
      const begin = company.facts.mark
      await using transferor = await open(one, '101')
      await using party = await open(other, '102')
      await using target = await open(one, '103', 'tcp')
      await connect(transferor, party, '102')
      const [targetFrom, transferorFrom, partyFrom] = [target.said.mark, transferor.said.mark, party.said.mark]
      await transferor.transfer('103')
      await target.incoming(targetFrom)
      await target.answer()
      await target.talking(targetFrom)
      await transferor.ended(transferorFrom)
      await Promise.all([party.hears(listenMs), target.hears(listenMs)])
      await target.hangUp()
      await party.ended(partyFrom)
      await assertHeard(party, toneOf['101'], toneOf['103'])
      await assertHeard(target, toneOf['102'])
      const [call] = await company.history(begin)
      assert.deepEqual(
        call?.legs.map((leg) => [leg.endpoint.number, leg.outcome?.kind]),
        [
          ['101', 'transferred'],
          ['102', 'answered'],
          ['103', 'answered'],
        ],
      )
    })
  }

  const keys: readonly (readonly [Program, 'rtp' | 'info'])[] = [
    ['baresip', 'rtp'],
    ['linphone', 'rtp'],
    ['linphone', 'info'],
  ]
  for (const [program, by] of keys) {
    test(`a menu obeys a key of ${program} by ${by === 'rtp' ? 'telephone-event' : 'SIP INFO'}`, async () => {
      const begin = company.facts.mark
      await using caller = await open(program, '101', 'udp', { infoDigits: by === 'info' })
      const from = caller.said.mark
      await caller.call('300')
      await caller.talking(from)
      await caller.hears(listenMs)
      await caller.press('1')
      const stepped = await company.facts.next('flow.stepped', (fact) => fact.node === 'say', begin)
      assert.equal(stepped.via, '1')
      await caller.ended(from)
      await company.history(begin)
      await assertHeard(caller, menuHertz, chosenHertz)
      const pressed = company.facts.facts.slice(begin).flatMap((fact) => (fact.kind === 'digit.pressed' ? [[fact.digit, fact.by]] : []))
      assert.deepEqual(pressed, [['1', by]])
    })
  }

  test('who calls a phone that takes no second call is told that it is busy, and the first call goes on', async () => {
    const begin = company.facts.mark
    await using busy = await open('baresip', '101', 'udp', { calls: 1 })
    await using first = await open('linphone', '102')
    await using second = await open('baresip', '103')
    await connect(first, busy, '101')
    const from = second.said.mark
    await second.call('101')
    // The words are the phone's own: they are passed on.
    assert.match(await second.ended(from), / 486 /)
    await first.hears(listenMs)
    const end = busy.said.mark
    await first.hangUp()
    await busy.ended(end)
    const calls = await company.history(begin)
    assert.deepEqual(
      calls.map((call) => [call.from.number, call.outcome.kind]),
      [
        ['102', 'answered'],
        ['103', 'busy'],
      ],
    )
  })

  test('of two phones that ring together one answers, and the other has missed no call', async () => {
    const begin = company.facts.mark
    await using slower = await Baresip.start(company.phone('101', 'udp'))
    await using quicker = await open('linphone', '102')
    await using caller = await open('baresip', '103')
    const [slowerFrom, quickerFrom, callerFrom] = [slower.said.mark, quicker.said.mark, caller.said.mark]
    await caller.call('200')
    await Promise.all([slower.incoming(slowerFrom), quicker.incoming(quickerFrom)])
    await quicker.answer()
    await slower.ended(slowerFrom)
    await Promise.all([quicker.talking(quickerFrom), caller.talking(callerFrom)])
    assert.match(await slower.printed.next(/^Reason:/), /SIP ?; ?cause=200/)
    await caller.hangUp()
    await quicker.ended(quickerFrom)
    const [call] = await company.history(begin)
    assert.deepEqual([call?.missed, call?.outcome.kind, call?.answeredBy?.number], [false, 'answered', '102'])
    assert.equal(call?.legs.find((leg) => leg.endpoint.number === '101')?.outcome?.kind, 'answered-elsewhere')
  })

  test('a linphone that rang while another phone answered does not count the call as missed', async () => {
    const begin = company.facts.mark
    await using quicker = await open('baresip', '101')
    await using slower = await Linphone.start(company.phone('102', 'udp'))
    await using caller = await open('baresip', '103')
    const [slowerFrom, quickerFrom, callerFrom] = [slower.said.mark, quicker.said.mark, caller.said.mark]
    await caller.call('200')
    await Promise.all([slower.incoming(slowerFrom), quicker.incoming(quickerFrom)])
    await quicker.answer()
    await Promise.all([quicker.talking(quickerFrom), caller.talking(callerFrom)])
    await slower.ended(slowerFrom)
    await caller.hangUp()
    await quicker.ended(quickerFrom)
    const log = (await slower.callLog()).join('\n')
    assert.match(log, /Incoming call/)
    assert.doesNotMatch(log, /Status: missed/)
    await company.history(begin)
  })
})
