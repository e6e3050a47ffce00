import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { CallView } from '#contract/api/calls.ts'
import type { TransportName } from '#sip/agent.ts'
import { within } from '#test/support/within.ts'
import { type Party, Town } from '#test/survival/town.ts'
import type { RunningSystem } from '#test/system/running-system.ts'

export const calls = 50
export const domain = 'survival.example'
export const password = 'correct horse'

/** Callers 1000 and up, callees 2000 and up, each with a phone. */
export function documents(): unknown[] {
  const users = Array.from({ length: calls + 1 }, (_, i) => [1000 + i, 2000 + i]).flat()
  return [
    { kind: 'company', id: 'survival', name: 'Survival', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: [domain] },
    ...users.flatMap((user) => [
      { kind: 'device', id: `phone-${user}`, username: String(user), password, transports: ['udp', 'tcp'] },
      { kind: 'extension', id: String(user), number: String(user), target: { device: `phone-${user}` } },
    ]),
  ]
}

/** The API of a running system, with the key of the person at its terminal. */
export class Api {
  readonly #base: string
  readonly #key: string
  readonly #company: string

  private constructor(base: string, key: string, company: string) {
    this.#base = base
    this.#key = key
    this.#company = company
  }

  static async of(system: RunningSystem): Promise<Api> {
    const { folders, http } = system.settings
    return new Api(`http://${http.address}:${http.port}`, (await readFile(join(folders.data, 'operator.key'), 'utf8')).trim(), 'demo')
  }

  /** A new company, and the API as its owner sees it. */
  async found(company: string): Promise<Api> {
    const { key } = (await this.ask('POST', '/v1/companies', { id: company, name: company })) as { key: string }
    return new Api(this.#base, key, company)
  }

  /** The answer's JSON; null where there is none. A server whose database is still on its way (503) is asked again. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#key}`, 'centrala-company': this.#company }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const response = await fetch(this.#base + path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
    const text = await response.text()
    if (response.status === 503) {
      await pause(100)
      return this.ask(method, path, body)
    }
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
}

/** A town whose phones are all registered with the system. */
export async function peopled(system: RunningSystem, api: Api, transport: TransportName): Promise<Town> {
  await api.ask('PUT', '/v1/configuration', { documents: documents() })
  const town = await Town.open({ transport, address: '127.0.0.1', port: system.settings.sip.port }, domain)
  await registered(town)
  return town
}

/** Registers every phone, or registers them anew. */
export async function registered(town: Town): Promise<void> {
  for (let i = 0; i <= calls; i++) {
    const both = [1000 + i, 2000 + i].map((user) => within(`registration of ${user}`, town.register(String(user), password)))
    await Promise.all(both)
  }
}

export interface Pair {
  caller: Party
  callee: Party
}

export function callPair(town: Town, index: number): Promise<Pair> {
  return within(`the call of ${1000 + index}`, town.call(String(1000 + index), password, String(2000 + index)))
}

/** So many pairs on the line, all of whom hear each other; from here on every packet counts. */
export async function talking(town: Town, count: number): Promise<{ pairs: Pair[]; everybody: Party[]; beat: Disposable }> {
  const pairs: Pair[] = []
  for (let i = 0; i < count; i++) pairs.push(await callPair(town, i))
  const everybody = pairs.flatMap(({ caller, callee }) => [caller, callee])
  const beat = town.beat(everybody)
  await hearing(pairs)
  for (const party of everybody) party.talker.reset()
  return { pairs, everybody, beat }
}

/** Resolves when everybody has heard something. */
export async function hearing(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map((pair) => whileTalking(pair, 'the first sound', [pair.caller.talker.heard, pair.callee.talker.heard])))
}

/** Resolves when everybody has got what their partner has sent by now, or something later: they go on talking. */
export async function caughtUp(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(
    pairs.map((pair) => {
      const [caller, callee] = [pair.caller.talker, pair.callee.talker]
      return whileTalking(pair, 'what was said last', [caller.caughtUp(callee), callee.caughtUp(caller)])
    }),
  )
}

/** What comes only as long as they talk: rejects when their call ends before. */
async function whileTalking({ caller, callee }: Pair, what: string, both: readonly Promise<void>[]): Promise<void> {
  const ended = Promise.race([caller.ended, callee.ended]).then((end) => {
    throw new Error(`the call ended before ${what} came: ${JSON.stringify(end)}`)
  })
  await within(what, Promise.race([Promise.all(both), ended]))
}

export function lostIn(pairs: readonly Pair[]): number {
  return pairs.reduce(
    (sum, { caller, callee }) =>
      sum + Math.max(0, caller.talker.lostTo(callee.talker) - 1) + Math.max(0, callee.talker.lostTo(caller.talker) - 1),
    0,
  )
}

/** The longest silence anybody heard, in ms. */
export function longestGap(pairs: readonly Pair[]): number {
  return Math.max(...pairs.flatMap(({ caller, callee }) => [caller.talker.gapTo(callee.talker), callee.talker.gapTo(caller.talker)]))
}

/** The history once it has so many calls that ended. */
export async function historyOf(api: Api, count: number): Promise<CallView[]> {
  let ended: CallView[] = []
  const patience = AbortSignal.timeout(60_000)
  while (!patience.aborted) {
    const page = (await within('the history', api.ask('GET', '/v1/calls?limit=500'))) as { calls: CallView[] }
    ended = page.calls.filter((row) => row.endedAt !== null)
    if (ended.length >= count) return ended
    await pause(100)
  }
  throw new Error(`after a minute the history has ${ended.length} calls that ended, not ${count}`)
}
