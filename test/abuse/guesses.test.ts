import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { flood, stranger } from '#test/abuse/flood.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import { calls } from '#test/survival/company.ts'

/** The account that calls all the while: of the pair that is called beside each attack. */
const victim = String(1000 + calls)
const guesses = 10_000
const rounds = 3
/** By so much less than a network varies. */
const mostMs = 0.05

/** A wrong password for an account. */
function guess(user: string, from: string): string {
  const credentials = [
    `username="${user}"`,
    'realm="survival.example"',
    'nonce="{n}"',
    'uri="sip:survival.example"',
    `response="${'0'.repeat(32)}"`,
  ]
  const proof = `Authorization: Digest ${credentials.join(', ')}, algorithm=MD5, cnonce="x", qop=auth, nc=00000001\r\n`
  return stranger('REGISTER', from, 'survival.example', proof)
    .replace('To: <sip:survival.example>', `To: <sip:${user}@survival.example>`)
    .replace('From: <sip:100@', `From: <sip:${user}@`)
}

describe('who guesses passwords', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end())

  const bans = async (): Promise<BanSeen[]> => ((await siege.api.ask('GET', '/v1/bans')) as { bans: BanSeen[] }).bans

  test('ten thousand times from one address is answered ten times or so', async () => {
    await siege.beside(async () => {
      const from = '127.0.0.110'
      const messages = [guess('2001', from)]
      const tally = await flood({ transport: 'udp', from, fromPort: 0, to: siege.target, messages, perSecond: guesses / 3, seconds: 3 })
      assert.ok(tally.sent > guesses * 0.9, JSON.stringify(tally))
      assert.ok(tally.received <= 12, JSON.stringify(tally))
      assert.match((await bans()).find(({ who }) => who === from)?.reason ?? 'none', /wrong passwords/)
    })
  })

  test('from five hundred addresses at one account shuts them out, and its own phone calls all the while', async () => {
    await siege.beside(async () => {
      const from = '127.40.0.1'
      const messages = [guess(victim, from)]
      const tally = await flood({
        ...{ transport: 'udp', from, sources: 500, fromPort: 0, to: siege.target, messages, perSecond: guesses / 4, seconds: 4 },
      })
      assert.ok(tally.sent > guesses * 0.9, JSON.stringify(tally))
      const shut = (await bans()).find(({ who }) => who === `${victim}@survival.example`)
      assert.match(shut?.reason ?? 'none', /several addresses/)
      await siege.api.ask('DELETE', `/v1/bans/${shut?.id}`)
      assert.ok((await bans()).every(({ who }) => who !== `${victim}@survival.example`))
    })
  })

  for (const { what, ask } of [
    { what: 'without credentials', ask: (user: string, from: string) => stranger('OPTIONS', from).replace('sip:100@', `sip:${user}@`) },
    { what: 'with a wrong password', ask: guess },
  ]) {
    test(`learns from no answer’s time who exists: ${what}`, async () => {
      const seen: string[] = []
      for (let round = 0; round < rounds; round++) {
        const { absent, present } = await timed(ask, round)
        const medianMs = median(present) - median(absent)
        if (Math.abs(medianMs) < mostMs) return
        seen.push(`${(medianMs * 1000).toFixed(0)} µs`)
      }
      assert.fail(seen.join('; '))
    })
  }

  /** How long answers take, ms: in turn for accounts that exist and that do not. Four each from one address, which may guess no more. */
  async function timed(ask: (user: string, from: string) => string, round: number): Promise<{ present: number[]; absent: number[] }> {
    const [present, absent]: number[][] = [[], []]
    for (let n = 0; n < 250; n++) {
      const from = `127.${50 + round * 2 + (ask === guess ? 1 : 0)}.${n >> 7}.${(n & 127) + 1}`
      const socket = createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, from, resolve))
      for (let i = 0; i < 4; i++) {
        const known = String((i % 2 === 0 ? 1000 : 2000) + ((n * 4 + i) % calls))
        const users = i % 2 === 0 ? [known, `${known}9`] : [`${known}9`, known]
        for (const user of users)
          (user === known ? present : absent)?.push(
            await answered(socket, ask(user, from).replaceAll('{n}', `${round}x${n}x${i}x${user}${ask.name}`)),
          )
      }
      socket.close()
    }
    return { present: present ?? [], absent: absent ?? [] }
  }

  async function answered(socket: Socket, text: string): Promise<number> {
    const at = performance.now()
    socket.send(text, siege.target.port, siege.target.address)
    await once(socket, 'message')
    return performance.now() - at
  }
})

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
