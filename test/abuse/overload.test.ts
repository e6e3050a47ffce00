import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import type { Agent } from '#sip/agent/agent.ts'
import { manyAudioPorts, Siege } from '#test/abuse/siege.ts'
import { claimPort } from '#test/support/ports.ts'
import { domain, password } from '#test/survival/company.ts'

const address = '127.0.0.45'
/** Where emergency calls go, to a thread of its own: who asks for ten times as many calls as can be may have no time to answer any. */
const helpAddress = '127.0.0.46'
const port = await claimPort()
/** Audio ports: enough that it is the rate of calls, not audio, that is short. */
const enough = 2_000
/** Few, so that this process can ask for ten times as many on any machine. */
const limit = 20
const seconds = 8
const dialled = '+441632960001'

const sdp = [`v=0`, `o=x 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', 'm=audio 39000 RTP/AVP 8', ''].join('\r\n')
const body = { contentType: 'application/sdp', bytes: Buffer.from(sdp) }

interface Tally {
  asked: number
  answered: number
  refused: Record<string, number>
}

describe('ten times as many calls as are taken', () => {
  let siege: Siege
  let carrier: Agent
  let help: Worker
  let emergencies = 0
  before(async () => {
    siege = await Siege.open({ CENTRALA_CALLS_PER_SECOND: String(limit), ...(await manyAudioPorts(enough)) }, [
      { kind: 'trunk', id: 'carrier', host: address, port, healthSeconds: 0 },
      { kind: 'trunk', id: 'help', host: helpAddress, port, healthSeconds: 0 },
      { kind: 'number', id: 'asked', number: dialled, target: { extension: '2050' } },
      { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['help'], callback: 'asked' },
    ])
    const listen = { udp: [{ address, port, setting: 'test' }] }
    const needs = { clock: systemClock, random: machineRandom(), log: silentLog, product: 'carrier', listen }
    carrier = simpleAgent({ ...needs, onInvite: (incoming) => incoming.reject(480) }).agent
    await carrier.start()
    help = new Worker(new URL('help-worker.ts', import.meta.url), { workerData: { address: helpAddress, port, sdp } })
    await once(help, 'message')
    help.on('message', () => emergencies++)
  })
  after(async () => {
    await Promise.all([carrier.close(), help.terminate()])
    await siege.end()
  })

  /** Calls in; hung up as soon as it is answered. */
  function callIn(tally: Tally): Promise<void> {
    tally.asked++
    return new Promise((resolve) => {
      const refused = (why: string): void => {
        tally.refused[why] = (tally.refused[why] ?? 0) + 1
        resolve()
      }
      const target = { transport: 'udp' as const, ...siege.target }
      carrier.invite(
        {
          uri: `sip:${dialled}@127.0.0.1`,
          from: `<sip:+4989123456@${address}>`,
          to: `<sip:${dialled}@127.0.0.1>`,
          via: target,
          body,
          silenceMs: 4_000,
        },
        {
          onAnswered: (_response, dialog) => {
            tally.answered++
            dialog.acknowledge()
            dialog.bye()
            resolve()
          },
          onFailed: (failure) => refused(failure.kind === 'response' ? String(failure.status) : failure.why),
          dialog: { onEnded: () => undefined } as never,
        },
      )
    })
  }

  test('nine of ten that can be taken are, what belongs to calls and emergency calls always is, and a second later all is well', async () => {
    const before = await siege.figures()
    const tally: Tally = { asked: 0, answered: 0, refused: {} }
    const asked: Promise<void>[] = []
    const startedAt = performance.now()
    using stopping = new DisposableStack()
    const flooding = setInterval(() => {
      const due = Math.min(((performance.now() - startedAt) / 1000) * limit * 10, limit * 10 * seconds)
      while (tally.asked < due) asked.push(callIn(tally))
    }, 5)
    stopping.defer(() => clearInterval(flooding))
    let helped = 0
    for (let i = 0; performance.now() - startedAt < seconds * 1000; i++) {
      const held = siege.pairs[i % siege.pairs.length]?.caller
      for (const direction of ['sendonly', 'sendrecv'] as const) {
        const answer = await held?.reinvite(direction)
        assert.ok(answer !== undefined && 'status' in answer && answer.status === 200, `re-INVITE: ${JSON.stringify(answer)}`)
      }
      if (i % 3 === 0) {
        await emergency()
        helped++
      }
      await pause(200)
    }
    clearInterval(flooding)
    await Promise.all(asked)
    // Who was not answered at all asks again for a while (RFC 3261 §17.1.1.2).
    const lasted = (performance.now() - startedAt) / 1000
    assert.ok(tally.asked >= limit * 10 * (seconds - 1), JSON.stringify(tally))
    assert.ok(tally.answered >= 0.9 * limit * (seconds - 1), JSON.stringify(tally))
    assert.ok(tally.answered <= limit * (lasted + 2), JSON.stringify(tally))
    assert.ok(
      Object.keys(tally.refused).every((why) => why === '503' || why === 'timeout'),
      JSON.stringify(tally.refused),
    )
    const calmFrom = performance.now()
    for (let isCalm = false; !isCalm; ) {
      await pause(1_000)
      const calm: Tally = { asked: 0, answered: 0, refused: {} }
      await Promise.all(Array.from({ length: limit / 4 }, () => callIn(calm)))
      isCalm = calm.answered === calm.asked
      assert.ok(isCalm || performance.now() - calmFrom < 5_000, JSON.stringify(calm))
    }
    assert.equal(emergencies, helped)
    await siege.until('all is as before', ({ calls, dialogs, endpoints, transactions }) => {
      return calls <= before.calls && dialogs <= before.dialogs && endpoints <= before.endpoints && transactions <= before.transactions + 5
    })
  })

  async function emergency(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      siege.town.agent.invite(
        {
          ...{ uri: `sip:112@${domain}`, from: `<sip:1001@${domain}>`, to: `<sip:112@${domain}>` },
          ...{ via: siege.town.server, credentials: { user: '1001', password }, body },
        },
        {
          onAnswered: (_response, dialog) => {
            dialog.acknowledge()
            dialog.bye()
            resolve()
          },
          onFailed: (failure) => reject(new Error(JSON.stringify(failure))),
          dialog: { onEnded: () => undefined } as never,
        },
      )
    })
  }
})
