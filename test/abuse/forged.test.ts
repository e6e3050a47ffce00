import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { flood, lasting, stranger } from '#test/abuse/flood.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import { authorization, header, Wire } from '#test/support/wire.ts'
import { domain, password } from '#test/survival/company.ts'

/** Addresses that a forger writes into datagrams: each says too little to be banned for it. */
const forged = 400
const crowdPerSecond = 8_000
/** Strangers that are heard, all together, as long as they are not too many. */
const strangersPerSecond = 4_000
/** What somebody says who writes the address and port of a phone: far more than is listened to in that state. */
const asPhonePerSecond = 1_000
const tricklePerSecond = 50
/** Of unproved requests a port at a known address may owe at once, and what is forgiven meanwhile: generously. */
const mostBefore = 1_200
/** Requests with credentials, each of which must get through. */
const honest = 10

describe('a flood with forged addresses harms nobody: fifty calls go on beside it, new ones succeed', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end())

  const bans = async (): Promise<BanSeen[]> => ((await siege.api.ask('GET', '/v1/bans')) as { bans: BanSeen[] }).bans

  test('from all over: strangers share a trickle, none of them is banned, and afterwards whoever comes is answered', async () => {
    await siege.during(async (port) => {
      const spec = { transport: 'udp' as const, from: '127.70.0.1', fromPort: 0, sources: forged, to: { ...siege.target, port } }
      const messages = [stranger('OPTIONS', '127.70.0.1'), stranger('REGISTER', '127.70.0.1')]
      const before = await siege.figures()
      const isSparing = async (): Promise<boolean> => (await siege.figures()).dropped > before.dropped + 500
      const startedAt = performance.now()
      let answers = 0
      // On a busy machine a flood may be no flood: then strangers get no more answers than they may.
      for (let more = 0; more < 10; more++) {
        answers += (await flood({ ...spec, messages, perSecond: crowdPerSecond, seconds: lasting(2) })).received
        if (port !== siege.target.port || (await isSparing())) return
      }
      const most = (strangersPerSecond + tricklePerSecond) * (1 + (performance.now() - startedAt) / 1_000)
      assert.ok(answers <= most, `strangers are heard sparingly: ${answers} were answered`)
    })
    assert.deepEqual(
      (await bans()).filter(({ who }) => who.startsWith('127.70.')),
      [],
    )
    const late = { transport: 'udp' as const, from: '127.71.0.1', fromPort: 0, to: siege.target }
    let answered = 0
    for (let tries = 0; tries < 20 && answered === 0; tries++) {
      const tally = await flood({ ...late, messages: [stranger('OPTIONS', '127.71.0.1')], perSecond: 1, seconds: 1 })
      answered = tally.statuses['401'] ?? 0
    }
    assert.equal(answered, 1)
  })

  test('from the very address and port of a phone: it is slowed down, and what carries its credentials gets through', async () => {
    const address = '127.0.0.91'
    await using wire = await Wire.open(siege.target, address)
    const register = (n: string, more: string): string =>
      stranger('REGISTER', address, `1001@${domain}`, more)
        .replace(/^REGISTER sip:[^ ]+/, `REGISTER sip:${domain}`)
        .replace(/<sip:100@[^>]+>/, `<sip:1001@${domain}>`)
        .replaceAll(`<sip:x@${address}>`, `<sip:1001@${wire.at}>;expires=60`)
        .replaceAll('{n}', n)
    wire.send(register('first', ''))
    const challenge = header(await wire.next('challenge', ({ status }) => status === 401), 'www-authenticate')
    const proof = (nc: number): string => {
      const as = { user: '1001', password, method: 'REGISTER', uri: `sip:${domain}` }
      return `Authorization: ${authorization(challenge, as, { nc })}\r\n`
    }
    const registered = async (nc: number): Promise<void> => {
      const answer = wire.next(`answer ${nc}`, (message) => header(message, 'call-id').startsWith(`flood-own${nc}@`))
      // Again and again, as phones do (RFC 3261 §17.1.2.2): what the flood crowds out of the socket is lost. Not so often that chance lets it through.
      const bytes = register(`own${nc}`, proof(nc))
      let repeating: NodeJS.Timeout
      const say = (againMs: number): void => {
        wire.send(bytes)
        repeating = setTimeout(() => say(Math.min(2 * againMs, 4_000)), againMs)
      }
      say(500)
      assert.equal((await answer.finally(() => clearTimeout(repeating))).status, 200)
    }
    await registered(1)
    await siege.beside(async () => {
      let sent = 0
      const startedAt = performance.now()
      const seconds = lasting(4)
      const secondsNow = (): number => (performance.now() - startedAt) / 1_000
      // It does not end before the phone has got through: afterwards anybody would.
      const counting = setInterval(() => {
        // Not all that was missed at once: the socket would hold little of it.
        for (let burst = 0; burst < 50 && sent < secondsNow() * asPhonePerSecond; burst++, sent++)
          wire.send(stranger('OPTIONS', address).replaceAll('{n}', `forged${sent}`))
      }, 5)
      using stopping = new DisposableStack()
      stopping.defer(() => clearInterval(counting))
      await pause((seconds * 1_000) / 2)
      for (let nc = 2; nc < 2 + honest; nc++) await registered(nc)
      while (sent < seconds * asPhonePerSecond) await pause(50)
      const tookSeconds = secondsNow()
      const answers = wire.received.filter((message) => header(message, 'call-id').startsWith('flood-forged')).length
      const most = mostBefore + tricklePerSecond * tookSeconds
      assert.ok(answers < most && answers * 2 < sent, `${answers} of ${sent} were answered`)
    })
    assert.equal(
      (await bans()).find(({ who }) => who === address),
      undefined,
    )
  })
})
