import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { manyAudioPorts, Siege } from '#test/abuse/siege.ts'
import { claimPort } from '#test/support/ports.ts'
import { Wire, type WireMessage } from '#test/support/wire.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { acme, AcmeSystem, type Doc, trunk } from '#test/trunks/acme.ts'

const address = '127.0.0.43'
const port = await claimPort()
const password = 'another horse battery'
/** Where stolen lines call: satellites, premium services, islands that pay well. */
const dear = [
  '+882161234567',
  '+8816123456',
  '+8835100123456',
  '+97901234567',
  '+37127123456',
  '+25290123456',
  '+53512345678',
  '+67570123456',
  '+2391234567',
  '+2693212345',
]
const emergency: Doc = { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['carrier'], callback: 'main' }

describe('a stolen phone', () => {
  let at: AcmeSystem
  let siege: Siege
  const closing = new AsyncDisposableStack()
  let thief: WirePhone
  let carrier: Wire
  const dialled: WireMessage[] = []
  before(async () => {
    at = closing.use(
      await AcmeSystem.start(
        [
          ...acme(trunk('carrier', address, port), emergency),
          { kind: 'device', id: 'stolen', username: '101', password, algorithms: ['MD5'], forwards: true },
          { kind: 'extension', id: '101', number: '101', target: { device: 'stolen' } },
          { kind: 'outbound', id: 'out', routes: [{ trunks: ['carrier'] }] },
        ],
        await manyAudioPorts(),
      ),
    )
    carrier = closing.use(await Wire.open(at.sip, address, port))
    carrier.onRequest = (request) => {
      if (request.method === 'INVITE') {
        dialled.push(request)
        carrier.answer(request, '603 Decline')
      } else if (request.method !== 'ACK') carrier.answer(request, '200 OK')
      return true
    }
    thief = closing.use(await WirePhone.open({ user: '101', domain: 'acme.test', password }, at.sip, '127.0.0.44'))
    assert.equal((await at.phone.register()).status, 200)
    assert.equal((await thief.register()).status, 200)
    siege = closing.use(await Siege.on(at.system))
  })
  after(async () => {
    await using _closing = closing
    await siege.end()
  })
  const beside = (name: string, attack: () => Promise<void>): void => void test(name, () => siege.beside(attack))

  beside(
    'reaches no expensive number by any way: dialling, writing it otherwise, forwarding, transferring, click to call; an alarm tells',
    async () => {
      const mark = at.facts.mark
      for (const number of dear) {
        for (const written of [number, `00${number.slice(1)}`, `810${number.slice(1)}`]) {
          const call = await thief.call(encodeURIComponent(written))
          assert.ok(call.status >= 400, `${written}: ${call.status}`)
        }
      }
      thief.wire.onRequest = (request) => {
        if (request.method === 'INVITE') {
          const to = dear[randomInt(dear.length)] ?? ''
          thief.wire.answer(request, '302 Moved Temporarily', [
            `Contact: <sip:${to}@acme.test>, <tel:${to}>, <sip:${to}@${address}:${port}>`,
          ])
        } else if (request.method !== 'ACK') thief.wire.answer(request, '200 OK')
        return true
      }
      assert.ok((await at.phone.call('101')).status >= 400)
      thief.wire.onRequest = () => false
      const calling = at.phone.call('101')
      const taken = await thief.answered()
      await calling
      thief.wire.onRequest = (request) => {
        if (request.method === 'ACK') return true
        thief.wire.answer(request, '200 OK')
        return true
      }
      const refer = await taken.request('REFER', [`Refer-To: <sip:${encodeURIComponent(dear[0] ?? '')}@acme.test>`])
      if (refer.status < 300) await at.facts.next('call.refused', () => true, mark).catch(() => undefined)
      await taken.bye()
      const click = await at.api.ask('POST', '/v1/calls', { from: '101', to: dear[1] })
      assert.ok(click.status >= 400 || click.status === 202 || click.status === 201, String(click.status))
      assert.deepEqual(
        dialled.map(({ first }) => first),
        [],
      )
      await at.facts.next('alarm.raised', () => true, mark)
    },
  )

  beside('an emergency call passes all the same', async () => {
    const from = dialled.length
    assert.equal((await thief.call('112')).status >= 400, true)
    assert.match(dialled[from]?.first ?? '', /112/)
  })

  /** Calls until something else is said than that this account asks too often. */
  async function insist(to: string, headers: string[]): Promise<void> {
    for (let tries = 0; tries < 1_000; tries++) {
      const call = await thief.call(to, { headers }).catch(() => null)
      if (call?.status !== 503) return
    }
  }

  beside('headers that only a carrier may be believed in are neither believed nor passed on', async () => {
    await at.apply([
      ...acme(trunk('carrier', address, port), emergency),
      { kind: 'device', id: 'stolen', username: '101', password, algorithms: ['MD5'] },
      { kind: 'extension', id: '101', number: '101', target: { device: 'stolen' } },
      { kind: 'outbound', id: 'out', routes: [{ trunks: ['carrier'] }], permissions: { national: true, unknown: true } },
    ])
    const forged = '+74956666666'
    const names = [
      'P-Asserted-Identity',
      'P-Preferred-Identity',
      'Remote-Party-ID',
      'Diversion',
      'History-Info',
      'Identity',
      'X-Internal',
      'X-Trusted',
      'P-Charging-Vector',
      'Route',
      'Record-Route',
      'Referred-By',
    ]
    const spellings: ((name: string) => string)[] = [
      (name) => `${name}: <sip:${forged}@carrier.test;lr>`,
      (name) => `${name} : <sip:${forged}@carrier.test;lr>`,
      (name) => `${name}\t:\t<sip:${forged}@carrier.test;lr>`,
      (name) => `${name.toUpperCase()}:\r\n <sip:${forged}@carrier.test;lr>`,
      (name) => `${name}: <sip:${forged}@carrier.test;lr>\r\n${name}: <sip:${forged}@carrier.test;lr>`,
      (name) => `${name}\0: <sip:${forged}@carrier.test;lr>`,
    ]
    const from = dialled.length
    for (const name of names) for (const spell of spellings) await insist('84951112233', [spell(name)])
    for (const { text, first } of dialled.slice(from)) {
      assert.doesNotMatch(text, /6666666/, text)
      assert.match(first, /4951112233/)
    }
    assert.ok(dialled.length > from + 40, String(dialled.length - from))
  })
})
