import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bridge } from '#calls/bridge.ts'
import { dial } from '#calls/outbound-leg.ts'
import { type FakeDialog, phone, Town } from '#calls/testing.ts'
import type { Leg } from '#calls/leg.ts'
import type { SipResponse } from '#sip/message/message.ts'
import { buildRequest, buildResponse } from '#sip/message/build.ts'
import type { Body, IncomingRequest, Unanswered } from '#sip/agent.ts'

/** A MESSAGE from the party of a leg, and what it is answered. */
function writes(leg: Leg, text: string, type = 'text/plain;charset=utf-8'): { answers: string[] } {
  const headers = [['CSeq', '7 MESSAGE'] as const, ['Content-Type', type] as const]
  const request = buildRequest({ method: 'MESSAGE', uri: 'sip:us@192.0.2.1', headers, body: Buffer.from(text) })
  const answers: string[] = []
  const flow = { transport: 'udp', local: { address: '', port: 0 }, remote: { address: '', port: 0 }, connection: null } as const
  const respond: IncomingRequest['respond'] = (status, _reason, more = []) => void answers.push([status, ...more.flat()].join(' '))
  leg.dialogEvents().onRequest?.({ request, flow, respond })
  return { answers }
}

/** Two who talk; what reaches the one called is kept, and answered when the test says how. */
function bridged() {
  const town = new Town()
  const { call, inbound } = town.calledIn()
  inbound.answer()
  const attempt = dial(call, phone('100'), { near: inbound.leg, ringMs: 1_000, onMiss: () => undefined })
  assert.ok('leg' in attempt)
  const dialog: FakeDialog = town.invited('100').answer()
  const written: string[] = []
  const waiting: ((result: SipResponse | Unanswered) => void)[] = []
  dialog.request = (method, _headers, body?: Body) => {
    written.push(`${method} ${body?.contentType} ${Buffer.from(body?.bytes ?? []).toString()}`)
    return new Promise<never>((resolve) => waiting.push((result) => resolve(result as never)))
  }
  const silent = { onParted: () => undefined, onReferral: () => undefined, onReplaced: () => undefined }
  const bridge = new Bridge(call, [inbound.leg, attempt.leg], [], silent)
  const answer = async (result: number | Unanswered): Promise<void> => {
    const request = buildRequest({ method: 'MESSAGE', uri: 'sip:100@192.0.2.9', headers: [['CSeq', '1 MESSAGE']] })
    waiting.shift()?.(typeof result === 'number' ? buildResponse(request, result) : result)
    for (let turn = 0; turn < 5; turn++) await Promise.resolve()
  }
  return { caller: inbound.leg, written, answer, bridge }
}

test('what one of two writes reaches the other as it was written, and is answered as the other answers', async () => {
  const { caller, written, answer } = bridged()
  const { answers } = writes(caller, 'Код 4711')
  assert.deepEqual(written, ['MESSAGE text/plain;charset=utf-8 Код 4711'])
  assert.deepEqual(answers, [])
  await answer(202)
  assert.deepEqual(answers, ['202'])
})

test('one message at a time: the next before an answer is to come again', async () => {
  const { caller, written, answer } = bridged()
  const first = writes(caller, 'one')
  assert.deepEqual(writes(caller, 'two').answers, ['480 Retry-After 1'])
  await answer(200)
  writes(caller, 'two')
  assert.equal(written.length, 2)
  assert.deepEqual(first.answers, ['200'])
})

test('a refusal of the message comes back as it is, trouble on the way as 480', async () => {
  const { caller, answer } = bridged()
  for (const [result, told] of [
    [415, '415'],
    [501, '501'],
    [401, '480'],
    [{ kind: 'unanswered', why: 'timeout', detail: '' }, '480'],
  ] as const) {
    const { answers } = writes(caller, 'hello')
    await answer(result)
    assert.deepEqual(answers, [told])
  }
})

test('what is too long or of a strange type is refused here, and nobody to read it is told', () => {
  const { caller, written, bridge } = bridged()
  assert.deepEqual(writes(caller, 'x'.repeat(1_301)).answers, ['513'])
  assert.deepEqual(writes(caller, 'x', 'application/octet-stream').answers, [
    '415 Accept text/*, message/*, application/im-iscomposing+xml',
  ])
  assert.deepEqual(written, [])
  bridge.close()
  assert.deepEqual(writes(caller, 'hello').answers, ['480'])
})
