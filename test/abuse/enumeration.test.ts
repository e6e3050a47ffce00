import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { compile } from '#server/config/compile.ts'
import { readValues } from '#server/config/read.ts'
import { Books } from '#server/dialplan/books.ts'
import { Decoys } from '#server/dialplan/decoys.ts'
import { Identifier } from '#server/dialplan/identify.ts'
import { seal, unseal } from '#server/config-store/seal.ts'
import type { DigestAlgorithm, Flow } from '#sip/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle } from '#sip/auth/throttle.ts'
import { parseMessage } from '#sip/message/parse.ts'
import { greeting, guess } from '#test/abuse/guess.ts'
import { likenessOf } from '#test/support/rank-test.ts'

// What a request costs within the server, where no network hides it, by whether the name in it exists. `test/abuse/guesses.test.ts` looks from outside.

/** Enough in each round to see 0.3 µs of 8; chance fails all rounds once in ten thousand millions. */
const perRound = 200
const rounds = 5
/** Of each: until the code is compiled. */
const warmUp = 2_000
/** So many that some have never been asked for at the end, either. */
const manyNames = 12_000
/** Samples that are alike are this much unlike once in a hundred times. */
const leastLikely = 0.01
/** Where hardly anything lies in the processor's cache, who is in a table is found some 0.3 µs sooner than who is not; to reckon a phone takes 10. */
const coldNs = 1_000
const algorithms: DigestAlgorithm[] = ['SHA-256', 'MD5']
const local = { address: '192.0.2.1', port: 5060 }

/** What knows who is who, for a company with phones of these names; `old`: each third phone knows MD5 alone. Gives how long it looks at a request, ns. */
function exchangeOf(phones: ReadonlySet<string>, old: boolean): (bytes: Buffer, address: string) => number {
  const document = (user: string, i: number): object => ({
    ...{ kind: 'device', id: `phone-${user}`, username: user, password: 'correct horse', transports: ['udp'] },
    ...(old && i % 3 === 0 && { algorithms: ['MD5'] }),
  })
  const company = { kind: 'company', id: 'c', name: 'C', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: ['survival.example'] }
  const { documents, problems } = readValues([company, ...[...phones].map(document)])
  assert.deepEqual(problems, [])
  const books = new Books(silentLog)
  books.take({ tenant: 'c', version: 1, config: compile(documents) })
  const key = createSecretKey(randomBytes(32))
  const sealed = seal(key, 'correct horse', 'c')
  const identifier = new Identifier({
    ...{ books, trunksFrom: () => [], isOurs: () => false, decoys: new Decoys(randomBytes(32)) },
    passwordOf: () => unseal(key, sealed, 'c'),
  })
  // Nobody is shut out: it is the reckoning that is timed.
  const throttle = new GuessThrottle({ clock: systemClock, onShutOut: () => undefined, userLimit: 1e9 })
  const gate = new AuthGate(new DigestServer({ clock: systemClock, key, algorithms }), throttle)
  return (bytes, address) => {
    const source: Flow = { transport: 'udp', local, remote: { address, port: 5060 }, connection: null }
    const at = process.hrtime.bigint()
    const message = parseMessage(bytes)
    assert.ok(message.kind === 'request')
    const found = identifier.identify(message, source)
    assert.ok(found.kind === 'challenge')
    gate.admit(message, address, found.realm, found.user)
    return Number(process.hrtime.bigint() - at)
  }
}

for (const ask of [greeting, guess]) {
  for (const old of [false, true]) {
    for (const each of ['once', 'again and again'] as const) {
      const phones = old ? ', with old phones among the others' : ''
      test(`by a ${ask.name} names that exist cannot be told from others: asked for ${each}${phones}`, () => {
        const count = each === 'once' ? manyNames : 400
        const all = Array.from({ length: count }, (_, i) => String(100_000 + i))
        const exist = new Set(all.filter(() => randomInt(2) === 0))
        const names = shuffled(all)
        const nsOf = exchangeOf(exist, old)
        let asked = 0
        const round = (enough: number): { present: number[]; absent: number[] } => {
          const [present, absent]: [number[], number[]] = [[], []]
          while (present.length < enough || absent.length < enough) {
            const user = names[each === 'once' ? asked : randomInt(count)] ?? assert.fail('no more names')
            const address = `10.${asked >> 16}.${(asked >> 8) & 255}.${asked & 255}`
            const ns = nsOf(Buffer.from(ask(user, address).replaceAll('{n}', String(asked++))), address)
            ;(exist.has(user) ? present : absent).push(ns)
          }
          return { present, absent }
        }
        round(warmUp)
        const seen: string[] = []
        while (seen.length < rounds) {
          const { present, absent } = round(perRound)
          const likely = likenessOf(present, absent)
          const ns = median(present) - median(absent)
          if (likely > leastLikely || (each === 'once' && Math.abs(ns) < coldNs)) return
          seen.push(`${ns} ns, ${likely.toExponential(1)}`)
        }
        assert.fail(seen.join('; '))
      })
    }
  }
}

/** Phones that were made one after the other lie near each other in memory: who asks does not know the order. */
function shuffled(names: readonly string[]): string[] {
  const drawn = names.map((name) => ({ name, at: randomInt(2 ** 32) }))
  return drawn.toSorted((a, b) => a.at - b.at).map(({ name }) => name)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}
