import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Siege } from '#test/abuse/siege.ts'
import { claimPort } from '#test/support/ports.ts'
import { header, Wire, type WireMessage } from '#test/support/wire.ts'
import { WireCall, WirePhone } from '#test/support/wire-phone.ts'
import { acme, AcmeSystem, type Doc, everythingTo, trunk } from '#test/trunks/acme.ts'

const address = '127.0.0.41'
const port = await claimPort()
const password = 'another horse battery'

const device = (user: string): Doc[] => [
  { kind: 'device', id: `phone-${user}`, username: user, password, algorithms: ['MD5'], forwards: true },
  { kind: 'extension', id: user, number: user, target: { device: `phone-${user}` } },
]

describe('what goes round ends', () => {
  let at: AcmeSystem
  let siege: Siege
  const closing = new AsyncDisposableStack()
  const phones: WirePhone[] = []
  let carrier: Wire
  before(async () => {
    at = closing.use(
      await AcmeSystem.start([
        ...acme(trunk('carrier', address, port, { username: 'line', password: 'secret of the line' }), ...device('101'), ...device('102')),
        // What the carrier sends here goes back to it, and comes again.
        { kind: 'number', id: 'ring', number: '+74950000109', target: { external: '+74950000109' } },
        everythingTo('carrier'),
      ]),
    )
    carrier = closing.use(await Wire.open(at.sip, address, port))
    for (const user of ['101', '102']) phones.push(closing.use(await WirePhone.open({ user, domain: 'acme.test', password }, at.sip)))
    for (const phone of [at.phone, ...phones]) assert.equal((await phone.register()).status, 200)
    siege = closing.use(await Siege.on(at.system))
  })
  after(async () => {
    await using _closing = closing
    await siege.end()
  })
  const beside = (name: string, attack: () => Promise<void>): void => void test(name, () => siege.beside(attack))

  /** Answers each call for a phone with a forward; counts them. */
  function forwards(phone: WirePhone, to: string): { calls: number } {
    const seen = { calls: 0 }
    phone.wire.onRequest = (request) => {
      if (request.method === 'INVITE') {
        seen.calls++
        phone.wire.answer(request, '302 Moved Temporarily', [`Contact: <sip:${to}@acme.test>`])
      } else if (request.method !== 'ACK') phone.wire.answer(request, '200 OK')
      return true
    }
    return seen
  }

  beside('two phones that forward to each other, and one to itself: each rings once or twice', async () => {
    const [first, second] = phones
    assert.ok(first !== undefined && second !== undefined)
    const [one, two] = [forwards(first, '102'), forwards(second, '101')]
    const call = await at.phone.call('101')
    assert.ok(call.status >= 400, String(call.status))
    assert.ok(one.calls + two.calls <= 4, `${one.calls} and ${two.calls}`)
    const itself = forwards(first, '101')
    assert.ok((await at.phone.call('101')).status >= 400)
    assert.ok(itself.calls <= 2, String(itself.calls))
  })

  beside('a phone that names ten others to ring instead, each of which does the same, sets off a few calls and no more', async () => {
    let calls = 0
    for (const phone of phones) {
      phone.wire.onRequest = (request) => {
        if (request.method === 'INVITE') {
          calls++
          const others = Array.from({ length: 10 }, (_, i) => `<sip:${101 + ((i + calls) % 2)}@acme.test>`)
          phone.wire.answer(request, '300 Multiple Choices', [`Contact: ${others.join(', ')}`])
        } else if (request.method !== 'ACK') phone.wire.answer(request, '200 OK')
        return true
      }
    }
    assert.ok((await at.phone.call('101')).status >= 400)
    assert.ok(calls <= 2, String(calls))
  })

  beside('two phones that transfer a call to each other, round and round: each transfer makes one call', async () => {
    const rounds = 6
    let calls = 0
    const arrivals: ((invite: WireMessage) => void)[] = []
    for (const phone of phones) {
      phone.wire.onRequest = (request) => {
        if (request.method === 'INVITE' && !/;tag=/.test(header(request, 'to'))) {
          calls++
          phone.wire.answer(request, '200 OK', [`Contact: ${phone.contact}`, 'Content-Type: application/sdp'], phone.sdp())
          arrivals.shift()?.(request)
        } else if (request.method === 'INVITE') {
          phone.wire.answer(request, '200 OK', [`Contact: ${phone.contact}`, 'Content-Type: application/sdp'], phone.sdp())
        } else if (request.method !== 'ACK') phone.wire.answer(request, '200 OK')
        return true
      }
    }
    const arrived = (): Promise<WireMessage> => new Promise((resolve) => arrivals.push(resolve))
    at.phone.answersAlone = true
    let next = arrived()
    const calling = at.phone.call('101')
    for (let i = 0; i < rounds; i++) {
      const phone = phones[i % 2]
      assert.ok(phone !== undefined)
      const taken = new WireCall(phone, await next)
      next = arrived()
      // Refused as long as the transfer before is not over.
      for (let tries = 0; ; tries++) {
        const refer = await taken.request('REFER', [`Refer-To: <sip:${i % 2 === 0 ? 102 : 101}@acme.test>`])
        if (refer.status === 202) break
        assert.ok(refer.status === 603 && tries < 50, refer.first)
        await pause(100)
      }
    }
    await next
    assert.equal(calls, rounds + 1)
    await (await calling).bye()
    at.phone.answersAlone = false
  })

  beside('a call that a carrier sends back, again and again, ends when its hops are used up', async () => {
    const dialogs: WireMessage[] = []
    const hops = 6
    carrier.onRequest = (request) => {
      if (request.method !== 'INVITE') {
        if (request.method !== 'ACK') carrier.answer(request, '200 OK')
        return true
      }
      dialogs.push(request)
      // Enough is enough, should it not end by itself.
      if (dialogs.length > hops) carrier.answer(request, '486 Busy Here')
      else {
        carrier.answer(request, '100 Trying')
        carrier.send(invited(carrier, Number(header(request, 'max-forwards'))))
      }
      return true
    }
    const answered = carrier.next('refusal', (message) => message.status >= 400)
    carrier.send(invited(carrier, hops))
    assert.equal((await answered).status, 483)
    assert.equal(dialogs.length, hops)
    assert.deepEqual(
      dialogs.map((request) => header(request, 'max-forwards')),
      ['5', '4', '3', '2', '1', '0'],
    )
  })

  beside('a carrier that asks for the password again and again is told it once; one that is not the carrier never is', async () => {
    const invites: WireMessage[] = []
    carrier.onRequest = (request) => {
      if (request.method === 'INVITE') {
        invites.push(request)
        const challenge = `Digest realm="carrier", nonce="n${invites.length}", algorithm=MD5, qop="auth"`
        // Enough is enough, should it never stop answering.
        if (invites.length > 10) carrier.answer(request, '603 Decline')
        else carrier.answer(request, '401 Unauthorized', [`WWW-Authenticate: ${challenge}`])
      } else if (request.method !== 'ACK') carrier.answer(request, '200 OK')
      return true
    }
    const call = await at.phone.call('+4989123456')
    assert.ok(call.status >= 400)
    assert.ok(invites.length <= 3, `asked ${invites.length} times`)
    assert.ok(invites.some((request) => header(request, 'authorization') !== ''))
  })

  beside('who is called, or hung up on, gets no proof of any password, whatever realm he asks by', async () => {
    const [victim] = phones
    assert.ok(victim !== undefined)
    const requests: WireMessage[] = []
    const hungUp = Promise.withResolvers<void>()
    const asks = (request: WireMessage): boolean => {
      if (request.method === 'ACK') return true
      requests.push(request)
      if (request.method === 'BYE') hungUp.resolve()
      const challenge = 'Digest realm="carrier", nonce="leak", algorithm=MD5, qop="auth"'
      const proof = header(request, 'authorization')
      victim.wire.answer(request, proof === '' ? '401 Unauthorized' : '200 OK', [`WWW-Authenticate: ${challenge}`])
      return true
    }
    victim.wire.onRequest = asks
    assert.ok((await at.phone.call('101')).status >= 400)
    victim.wire.onRequest = () => false
    const mark = at.facts.mark
    const calling = at.phone.call('101')
    const taken = await victim.answered()
    const call = await calling
    victim.wire.onRequest = asks
    await call.bye()
    await at.facts.next('call.ended', () => true, mark)
    await hungUp.promise
    // Whatever came of the challenge to the BYE is here before the call that is made after it.
    assert.ok((await at.phone.call('101')).status >= 400)
    assert.deepEqual(
      ['INVITE', 'BYE'].map((asked) => requests.some(({ method }) => method === asked)),
      [true, true],
    )
    for (const request of requests) {
      assert.equal(header(request, 'authorization'), '', request.first)
      assert.equal(header(request, 'proxy-authorization'), '', request.first)
    }
    assert.ok(taken.callId !== '')
  })

  /** A call for the number that leads back to the carrier. */
  function invited(from: Wire, hops: number): string {
    const id = `ring-${hops}-${randomInt(1e9)}`
    const sdp = `v=0\r\no=x 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n`
    return [
      `INVITE sip:+74950000109@${at.sip.address} SIP/2.0`,
      `Via: ${from.via()}`,
      `Max-Forwards: ${hops}`,
      `From: <sip:+4989123456@${from.at}>;tag=${id}`,
      `To: <sip:+74950000109@${at.sip.address}>`,
      `Call-ID: ${id}`,
      'CSeq: 1 INVITE',
      `Contact: <sip:carrier@${from.at}>`,
      'Content-Type: application/sdp',
      `Content-Length: ${sdp.length}`,
      '',
      sdp,
    ].join('\r\n')
  }
})
