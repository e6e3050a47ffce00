import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { flood } from '#test/abuse/flood.ts'
import { greeting, guess } from '#test/abuse/guess.ts'
import { type BanSeen, Siege } from '#test/abuse/siege.ts'
import { type Sample, toldByTime } from '#test/abuse/time-told.ts'
import { calls } from '#test/survival/company.ts'

/** The account that calls all the while: of the pair that is called beside each attack. */
const victim = String(1000 + calls)
const guesses = 10_000
/** In each draw so many answers are timed for names that exist, and for others; more draws would be guesses enough to shut an account out. */
const perDraw = 800
const draws = 3
/** What must show from outside, ms: on loopback an answer takes as long. A machine that does nothing else shows a tenth of it. */
const leastMs = 0.2

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
    { what: 'without credentials', ask: greeting },
    { what: 'with a wrong password', ask: guess },
  ]) {
    test(`learns from no answer’s time who exists: ${what}`, async (t) => {
      const { kind, by, likely } = await toldByTime({ draw: (nth) => timed(ask, nth), draws, least: leastMs })
      // Who cannot see shows nothing: to pass would say that there is nothing.
      if (kind === 'unclear') t.skip(`answers take too unlike times to see ${leastMs} ms`)
      assert.notEqual(kind, 'different', `present ${(by * 1000).toFixed(0)} µs later, ${likely.toExponential(1)}`)
    })
  }

  /** How long answers take, ms: for accounts that exist and for others, in pairs, either first by chance. Four each from one address, which may guess no more. */
  async function timed(ask: typeof guess, nth: number): Promise<Sample> {
    const [present, absent]: number[][] = [[], []]
    for (let n = 0; n < perDraw / 4; n++) {
      const from = `127.${50 + nth * 2 + (ask === guess ? 1 : 0)}.${n >> 7}.${(n & 127) + 1}`
      const socket = createSocket('udp4')
      await new Promise<void>((resolve) => socket.bind(0, from, resolve))
      for (let i = 0; i < 4; i++) {
        // All in turn, so that none is shut out for being guessed at.
        const known = (i % 2 === 0 ? 1000 : 2000) + ((n * 2 + (i >> 1)) % calls)
        const others = known + 2_000
        for (const user of randomInt(2) === 0 ? [known, others] : [others, known]) {
          const ms = await answered(socket, ask(String(user), from).replaceAll('{n}', `${nth}x${n}x${i}x${user}${ask.name}`))
          if (ms !== null) (user === known ? present : absent)?.push(ms)
        }
      }
      socket.close()
    }
    return { present: present ?? [], absent: absent ?? [] }
  }

  /** Null: it was lost. */
  async function answered(socket: Socket, text: string): Promise<number | null> {
    const at = performance.now()
    socket.send(text, siege.target.port, siege.target.address)
    const came = once(socket, 'message').then(() => performance.now() - at)
    return Promise.race([came, pause(2_000, null, { ref: false })])
  }
})
