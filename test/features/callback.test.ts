import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FeatureCompany } from '#test/features/company.ts'

let company: FeatureCompany

before(async () => {
  company = await FeatureCompany.start()
})
after(() => company[Symbol.asyncDispose]())

test('*37 after a busy colleague: when both are free the caller’s phone rings and then the colleague’s; #37 withdraws it', async () => {
  const mark = company.facts.mark
  await using caller = await company.phone('101')
  await using busy = await company.phone('102')
  await using third = await company.phone('103')
  const answered = busy.answered()
  const other = await third.call('102')
  const there = await answered
  const refused = caller.call('102')
  const invite = await busy.wire.next('INVITE', ({ method }) => method === 'INVITE')
  busy.wire.answer(invite, '486 Busy Here', [`Contact: ${busy.contact}`])
  assert.equal((await refused).status, 486)
  const asks = async (code: string): Promise<void> => {
    caller.ear.forget()
    const told = await caller.call(code)
    assert.equal(told.status, 200)
    await caller.ear.sound(200)
    await told.ended()
  }
  await asks('*37')
  await asks('%2337')
  assert.equal((await company.facts.next('callback.ended', () => true, mark)).why, 'cancelled')
  await asks('*37')
  const { callbacks } = await company.api.get<{ callbacks: { extension: string; to: string }[] }>('/v1/callbacks')
  assert.deepEqual(
    callbacks.map(({ extension, to }) => [extension, to]),
    [['101', '102']],
  )
  const rung = caller.answered()
  const reached = busy.answered()
  await there.bye()
  await other.ended()
  const [one, two] = await Promise.all([rung, reached])
  caller.ear.forget()
  using _speaks = busy.ear.speak(two.audioAt)
  await caller.ear.sound(300)
  await one.bye()
  await two.ended()
  const called = await company.facts.next('callback.ended', ({ why }) => why === 'called', mark)
  const ended = await company.facts.next('call.ended', ({ call }) => call === called.begun, mark)
  assert.equal(ended.outcome.kind, 'answered')
})
