import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { flood, lasting, stranger } from '#test/abuse/flood.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import type { SipResponse } from '#sip/message/message.ts'
import type { Unanswered } from '#sip/agent.ts'
import type { Party } from '#test/survival/town.ts'
import { tcpCarrier } from '#test/support/carrier.ts'
import { closed } from '#test/support/closed.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { options, smuggled } from '#test/abuse/smuggled.ts'

const domain = 'survival.example'

/** Wants to hear all there is. */
const never = (): boolean => false

const inner = (id: string): string => options(`inner-${id}`, ['Content-Length: 0'])

describe('messages made to harm, beside fifty calls', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end())

  /** What comes back for these bytes, until it is enough, the other end has closed the connection, or nothing more is hoped for. */
  async function tcp(
    to: { from: string; port: number },
    bytes: string,
    isEnough: (text: string) => boolean,
    patienceMs = 20_000,
  ): Promise<string> {
    const { from, port } = to
    const socket = connect({ host: '127.0.0.1', port, localAddress: from })
    let text = ''
    const enough = Promise.withResolvers<void>()
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (isEnough(text)) enough.resolve()
    })
    socket.write(bytes)
    await Promise.race([enough.promise, closed(socket), pause(patienceMs, undefined, { ref: false })])
    socket.destroy()
    return text
  }

  test('a request hidden in the body of another is never executed, however the length is put', async () => {
    await siege.during(async (port) => {
      for (const [i, [name, lines]] of smuggled.entries()) {
        const hidden = inner(String(i))
        const answers = await tcp({ from: `127.0.8.${i + 1}`, port }, options(`outer-${i}-${port}`, lines(hidden.length), hidden), never)
        assert.doesNotMatch(answers, /Call-ID: inner-/, name)
        if (port === siege.target.port) assert.match(answers, /^SIP\/2\.0 (400|513) /, name)
      }
    })
  })

  test('honest neighbours on a stream are each answered: leading zeros, pings between', async () => {
    const { port } = siege.target
    const body = 'hello'
    const both = (text: string): boolean => /Call-ID: one[^]*Call-ID: two/.test(text)
    const zeros = options('one', ['Content-Length: 0005'], body) + options('two', ['Content-Length: 0'])
    const pings = `\r\n\r\n${options('one', ['l : 0'])}\r\n\r\n${options('two', ['l: 0'])}`
    for (const [i, bytes] of [zeros, pings].entries()) {
      const answers = await tcp({ from: `127.0.8.${60 + i}`, port }, bytes, both)
      assert.ok(both(answers), answers)
    }
  })

  test('messages of any size and shape: giant lines, ten thousand Vias and Routes, nested quotes, bombs of SDP', async () => {
    const bombs = bombsFrom('127.0.0.95')
    await siege.during(async (port) => {
      // Some are worth no answer.
      for (const bytes of bombs) await tcp({ from: '127.0.0.95', port }, bytes, (text) => text !== '', 300)
      const small = bombs.filter(({ length }) => length < 60_000)
      await flood({
        transport: 'udp',
        from: '127.0.0.96',
        fromPort: 0,
        to: { ...siege.target, port },
        messages: small,
        perSecond: 500,
        seconds: lasting(1),
      })
    })
  })

  test('bombs of SDP from a phone of the company are refused, and hold no audio port', async () => {
    const before = await siege.figures()
    for (const sdp of sdpBombs) {
      const outcome = await new Promise<string>((resolve) => {
        siege.town.agent.invite(
          {
            uri: `sip:2000@${domain}`,
            from: `<sip:1001@${domain}>`,
            to: `<sip:2000@${domain}>`,
            via: { ...siege.town.server, transport: 'tcp' },
            credentials: { user: '1001', password: 'correct horse' },
            body: { contentType: 'application/sdp', bytes: Buffer.from(sdp) },
            timeoutMs: 4_000,
          },
          {
            onAnswered: (_response, dialog) => {
              dialog.acknowledge()
              dialog.bye()
              resolve('answered')
            },
            onFailed: (failure) => resolve(failure.kind === 'response' ? String(failure.status) : failure.detail),
            dialog: { onReinvite: () => undefined, onRequest: () => undefined, onEnded: () => undefined } as never,
          },
        )
      })
      assert.match(outcome, /^(400|413|415|488|513|framing|answered)/, `${outcome} for ${sdp.slice(0, 200)}`)
    }
    await siege.until('ports are free again', ({ endpoints }) => endpoints <= before.endpoints)
  })

  const offered = (party: Party, way: 'sendonly' | 'sendrecv'): Promise<SipResponse | Unanswered> => party.reinvite(way)

  test('offers that cross each other, again and again, are each answered, and the call goes on', async () => {
    const pair = siege.pairs.at(-1)
    assert.ok(pair !== undefined)
    await siege.beside(async () => {
      for (let i = 0; i < 20; i++) {
        const way = i % 2 === 0 ? 'sendonly' : 'sendrecv'
        const answers: readonly (SipResponse | Unanswered)[] = await Promise.all([offered(pair.caller, way), offered(pair.callee, way)])
        for (const answer of answers) assert.ok('status' in answer && [200, 491].includes(answer.status), JSON.stringify(answer))
      }
      for (let i = 0; ; i++) {
        const answer = await offered(pair.caller, 'sendrecv')
        if ('status' in answer && answer.status === 200) break
        assert.ok(i < 10, JSON.stringify(answer))
        await pause(200)
      }
    })
  })

  test('XML that grows when it is read, or fetches from elsewhere, is not read', async () => {
    let fetched = 0
    const canary = createServer((_request, response) => {
      fetched++
      response.end()
    }).listen(0, '127.0.0.1')
    await once(canary, 'listening')
    const { port } = canary.address() as AddressInfo
    const laughs = Array.from({ length: 9 }, (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('')
    const bombs = [
      `<!DOCTYPE x [<!ENTITY a0 "ha">${laughs}]><x>&a9;</x>`,
      `<!DOCTYPE x SYSTEM "http://127.0.0.1:${port}/dtd"><x/>`,
      `<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:${port}/entity">]><x>&e;</x>`,
      `<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:${port}/parameter">%p;]><x/>`,
      '<x>'.repeat(10_000),
      `<x a="${'y'.repeat(60_000)}"/>`,
    ]
    const types = [
      'pidf+xml',
      'dialog-info+xml',
      'rlmi+xml',
      'resource-lists+xml',
      'conference-info+xml',
      'media_control+xml',
      'reginfo+xml',
    ]
    await siege.beside(async () => {
      await using phone = await WirePhone.over({ user: '1001', domain, password: 'correct horse' }, await tcpCarrier(siege.target))
      for (const bomb of bombs) {
        for (const type of types) {
          for (const method of ['MESSAGE', 'SUBSCRIBE', 'INVITE', 'PUBLISH']) {
            const headers = [`Content-Type: application/${type}`, 'Event: presence', `Contact: ${phone.contact}`]
            const answer = await phone.request(method, `sip:nobody@${domain}`, { headers }, `<?xml version="1.0"?>${bomb}`)
            assert.ok(answer.status >= 400, `${method} ${type}: ${answer.status}`)
          }
        }
      }
    })
    assert.equal(fetched, 0)
    canary.close()
  })

  test('JSON as deep as a well is a bad request', async () => {
    const { http, folders } = siege.system.settings
    const key = (await import('node:fs')).readFileSync(`${folders.data}/operator.key`, 'utf8').trim()
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    for (const body of [deep, `{"documents":${deep}}`, `{"documents":[{"kind":${deep}}]}`, `{"__proto__":{"x":1},"documents":[]}`]) {
      const headers = {
        authorization: `Bearer ${key}`,
        'centrala-company': 'demo',
        'content-type': 'application/json',
        'idempotency-key': `deep-${randomInt(1e9)}`,
      }
      const answer = await fetch(`http://${http.address}:${http.port}/v1/configuration`, { method: 'PUT', headers, body })
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${(await answer.text()).slice(0, 300)}`)
    }
  })

  test('garbage at every audio port, and a storm at one, end no call and silence nobody', async () => {
    const { firstPort, lastPort } = siege.system.settings.media
    const junk = [
      '\x80',
      '\x80\xc8\x00\x01',
      '\x81\xcb\x00\x01\x00\x00\x00\x01',
      `\x80\x08${'x'.repeat(170)}`,
      'x'.repeat(1_400),
      '\x80\x65{n}',
    ]
    const calls = (await siege.figures()).calls
    await siege.during(async (port) => {
      const toPorts = port === siege.target.port ? { first: firstPort, last: lastPort } : { first: port, last: port }
      const to = { ...siege.target, port: toPorts.first }
      await flood({
        transport: 'udp',
        from: '127.0.0.97',
        fromPort: 0,
        to,
        toLastPort: toPorts.last,
        messages: junk,
        perSecond: 4_000,
        seconds: lasting(1.5),
      })
      const audio = siege.pairs[0]?.caller.talker.peer?.port ?? firstPort
      const one = port === siege.target.port ? audio : port
      await flood({
        transport: 'udp',
        from: '127.0.0.98',
        fromPort: 0,
        to: { ...to, port: one },
        messages: junk,
        perSecond: 50_000,
        seconds: lasting(1),
      })
    })
    assert.ok((await siege.figures()).calls >= calls)
  })

  test('who sends such things is banned', async () => {
    const { bans } = (await siege.api.ask('GET', '/v1/bans')) as { bans: BanSeen[] }
    assert.ok(
      bans.some(({ who }) => who === '127.0.0.96'),
      JSON.stringify(bans),
    )
  })
})

const head = 'v=0\r\no=x 1 1 IN IP4 127.0.0.95\r\ns=-\r\nc=IN IP4 127.0.0.95\r\nt=0 0\r\n'
const audio = 'm=audio 4000 RTP/AVP 8\r\n'
/** Too many, too large, or out of range. */
const sdpBombs: readonly string[] = [
  head + audio.repeat(1_000),
  `${head}${audio}${'a=candidate:1 1 UDP 1 10.0.0.1 5000 typ host\r\n'.repeat(1_200)}`,
  `${head}m=audio 4000 RTP/AVP ${Array.from({ length: 10_000 }, (_, i) => i % 128).join(' ')}\r\n`,
  `${head}${audio}${'a=rtpmap:8 PCMA/8000\r\n'.repeat(2_500)}`,
  `${head}m=audio 65536 RTP/AVP 8\r\n`,
  `${head}m=audio 99999999999999999999 RTP/AVP 8\r\n`,
  `${head}m=audio -1 RTP/AVP 8\r\n`,
  `${head}${audio}a=ptime:0\r\n`,
  `${head}${audio}a=ptime:1000000000\r\n`,
  `${head}${audio}a=ptime:-20\r\n`,
  `${head}m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 ${'x=1;'.repeat(10_000)}\r\n`,
  `${head}a=${'('.repeat(50_000)}\r\n${audio}`,
  `${head.replace('127.0.0.95', '999.999.999.999')}${audio}`,
  '\0'.repeat(60_000),
  'v=0',
]

function bombsFrom(from: string): string[] {
  const ask = (more: string): string => stranger('OPTIONS', from, '2000@survival.example', more)
  const invite = (type: string, body: string): string =>
    stranger('INVITE', from).replace(/Content-Type: [^]*$/, `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  return [
    ask(`X-Long: ${'x'.repeat(1_000_000)}\r\n`),
    ask(`X-Long: ${'x'.repeat(30_000)}\r\n`),
    ask(`Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n`.repeat(10_000)),
    ask(`Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n`.repeat(250)),
    ask(`Route: ${'<sip:10.0.0.1;lr>,'.repeat(1_600)}<sip:a>\r\n`),
    ask(`Contact: "${'\\"'.repeat(14_000)}" <sip:a@b>\r\n`),
    ask(`P-Asserted-Identity: ${'"'.repeat(20_000)}\r\n`),
    ask(`Subject: ${'('.repeat(30_000)}\r\n`),
    ask(`Authorization: Digest ${'a="b",'.repeat(5_000)}\r\n`),
    ask(`Accept: ${'a/b;q=0.1,'.repeat(3_000)}\r\n`),
    ask(`X: ${'\r\n '.repeat(8_000)}x\r\n`),
    ask('').replace('sip:2000@', `sip:${'%61'.repeat(9_000)}@`),
    ask('').replace('sip:2000@', `sip:2000;${'a;'.repeat(9_000)}@`),
    ask('').replace('sip:2000@', `tel:+${'1'.repeat(20_000)}`),
    invite('application/sdp', head + audio.repeat(2_000)),
    invite('multipart/mixed;boundary=b', '--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n'.repeat(1_000)),
    invite('application/pidf+xml', `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(1_000)}">]><x>${'&a;'.repeat(10_000)}</x>`),
  ]
}
