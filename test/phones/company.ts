import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CallView } from '#contract/api/calls.ts'
import { Api } from '#test/support/api.ts'
import { FactLog } from '#test/support/fact-log.ts'
import type { PhoneOptions } from '#test/support/phone.ts'
import { claimPorts, type PortClaim } from '#test/support/ports.ts'
import { toneFile, until } from '#test/support/sounds.ts'
import { RunningSystem } from '#test/system/running-system.ts'

/** What the company plays: to the held, in its menu, and after key 1 there. Each phone has a frequency of its own, too. */
export const musicHertz = 1_740
export const menuHertz = 1_140
export const chosenHertz = 2_040

const users = ['101', '102', '103'] as const
export type User = (typeof users)[number]
export const toneOf: Readonly<Record<User, number>> = { '101': 500, '102': 800, '103': 2_500 }
const passwordOf = (user: User): string => `Telephone.${user}.secret`

/** What one of them takes (PhoneOptions). */
const phonePorts = 32
/**
 * As many as one test file ever starts. A phone that ends without unregistering, as linphone sometimes does, is called on for a while: where
 * another came to listen in its place, that one would ring, and answer in its name.
 */
const mostPhones = 64

/** A running system with a company whose phones are real programs. */
export class PhoneCompany implements AsyncDisposable {
  readonly system: RunningSystem
  readonly api: Api
  readonly facts: FactLog
  readonly #folder: string
  #started = 0
  readonly #ports: PortClaim

  private constructor(system: RunningSystem, own: { api: Api; facts: FactLog; folder: string; ports: PortClaim }) {
    this.system = system
    this.api = own.api
    this.facts = own.facts
    this.#folder = own.folder
    this.#ports = own.ports
  }

  /** `more`: settings of the system. `changes`: fields beyond the usual ones of the company and of all devices. */
  static async start(more: Record<string, string> = {}, changes: Changes = {}): Promise<PhoneCompany> {
    const system = await RunningSystem.start(more)
    try {
      const { data } = system.settings.folders
      const prompts = join(data, 'prompts', 'demo', 'phones')
      await mkdir(prompts, { recursive: true })
      const sounds = { music: musicHertz, menu: menuHertz, chosen: chosenHertz }
      for (const [name, hertz] of Object.entries(sounds)) await writeFile(join(prompts, `${name}.wav`), toneFile(hertz, 3))
      const operator = await Api.of(system.settings, 'operator', 'demo')
      await operator.give('PUT', '/v1/configuration', { documents: documents.map((one) => changed(one, changes)) })
      const folder = await mkdtemp(join(tmpdir(), 'centrala-phones-'))
      for (const user of users) await writeFile(join(folder, `${user}.wav`), toneFile(toneOf[user], 120))
      const api = await Api.of(system.settings, 'page')
      const ports = await claimPorts(phonePorts * mostPhones)
      return new PhoneCompany(system, { api, facts: await FactLog.open(api), folder, ports })
    } catch (fault) {
      await system[Symbol.asyncDispose]()
      throw fault
    }
  }

  /** How the phone of an extension is set up: with a folder and ports of its own. */
  phone(user: User, transport: PhoneOptions['transport'], more: Partial<PhoneOptions> = {}): PhoneOptions {
    const nth = this.#started++
    if (nth >= mostPhones) throw new Error(`there are no ports for more than ${mostPhones} phones`)
    const { sip } = this.system.settings
    return {
      folder: join(this.#folder, `${nth}-${user}`),
      user,
      password: passwordOf(user),
      server: `127.0.0.1:${transport === 'tls' ? sip.tls.port : sip.port}`,
      transport,
      port: this.#ports.first + phonePorts * nth,
      plays: join(this.#folder, `${user}.wav`),
      ...more,
    }
  }

  /** What history has of the calls that began after a mark of `facts`, oldest first, once all of them are over. */
  async history(since: number): Promise<CallView[]> {
    const begun = this.facts.facts.slice(since).flatMap((fact) => (fact.kind === 'call.started' ? (fact.call ?? []) : []))
    for (const call of begun) await this.facts.next('call.ended', (fact) => fact.call === call, since)
    let found: CallView[] = []
    await until('history has the calls', async () => {
      const { calls } = await this.api.get<{ calls: CallView[] }>('/v1/calls?limit=20')
      found = calls.filter((call) => begun.includes(call.id) && call.endedAt !== null).toReversed()
      return found.length === begun.length
    })
    const { calls } = await this.api.get<{ calls: unknown[] }>('/v1/calls/live')
    if (calls.length > 0) throw new Error(`${calls.length} calls still go on`)
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.facts[Symbol.dispose]()
    await this.system[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
    this.#ports[Symbol.dispose]()
  }
}

/** baresip 1.0.0 gives up when any of several challenges is not MD5 (against RFC 8760 §2.4), so its phones offer MD5 alone. */
const device = (user: User): object => ({
  kind: 'device',
  id: `phone-${user}`,
  username: user,
  password: passwordOf(user),
  algorithms: ['MD5'],
})
const tonePrompt = (id: string, content: 'speech' | 'music' = 'speech'): object => ({
  kind: 'prompt',
  id,
  file: `phones/${id}.wav`,
  content,
})

interface Changes {
  company?: object
  device?: object
}

function changed(document: object, { company, device: ofDevices }: Changes): object {
  const kind = 'kind' in document ? document.kind : null
  return { ...document, ...(kind === 'company' ? company : kind === 'device' ? ofDevices : {}) }
}

const documents: readonly object[] = [
  {
    ...{ kind: 'company', id: 'phones', name: 'Phones', timezone: 'Europe/Moscow', country: 'RU', language: 'ru' },
    ...{ sipDomains: ['phones.example'], musicOnHold: ['music'], operator: { extension: '101' } },
  },
  ...users.map(device),
  ...users.map((user) => ({ kind: 'extension', id: user, number: user, target: { device: `phone-${user}` } })),
  {
    ...{ kind: 'ring-group', id: 'both', strategy: 'together', seconds: 20, noAnswer: { hangup: {} } },
    members: [{ extension: '101' }, { extension: '102' }],
  },
  { kind: 'extension', id: '200', number: '200', target: { ringGroup: 'both' } },
  { kind: 'extension', id: '300', number: '300', target: { flow: 'choice' } },
  tonePrompt('music', 'music'),
  tonePrompt('menu'),
  tonePrompt('chosen'),
  {
    ...{ kind: 'flow', id: 'choice', start: 'ask' },
    nodes: {
      ask: { type: 'menu', prompts: ['menu'], keys: { 1: 'say', 2: 'bye' }, noAnswer: 'bye' },
      say: { type: 'play', prompts: ['chosen'], next: 'bye' },
      bye: { type: 'hangup' },
    },
  },
]
