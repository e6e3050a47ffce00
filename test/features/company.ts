import { Api } from '#test/support/api.ts'
import { FactLog } from '#test/support/fact-log.ts'
import { WirePhone } from '#test/support/wire-phone.ts'
import { RunningSystem } from '#test/system/running-system.ts'

const domain = 'features.test'
const passwordOf = (user: string): string => `${user} keeps it`

/** Anna (100) has a desk phone and a laptop, 101 to 103 have one phone each; 101 and 102 take each other's calls. */
const documents: readonly unknown[] = [
  {
    ...{ kind: 'company', id: 'features', name: 'Features', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: [domain] },
    lampsShowCallers: true,
    parking: { slots: ['701', '702'], seconds: 10, otherwise: { extension: '103' } },
  },
  { kind: 'person', id: 'anna', name: 'Anna' },
  ...['desk', 'laptop'].map((id) => ({ kind: 'device', id, person: 'anna', username: id, password: passwordOf(id) })),
  { kind: 'extension', id: '100', number: '100', target: { person: 'anna' } },
  ...['101', '102', '103'].flatMap((number) => [
    { kind: 'device', id: `phone-${number}`, username: number, password: passwordOf(number) },
    {
      ...{ kind: 'extension', id: number, number, target: { device: `phone-${number}` } },
      ...(number !== '103' && { pickupGroups: ['sales'] }),
    },
  ]),
]

export type User = 'desk' | 'laptop' | '101' | '102' | '103'

/** A running system with that company; phones are written out message by message. */
export class FeatureCompany implements AsyncDisposable {
  readonly system: RunningSystem
  readonly api: Api
  readonly facts: FactLog

  private constructor(system: RunningSystem, api: Api, facts: FactLog) {
    this.system = system
    this.api = api
    this.facts = facts
  }

  static async start(): Promise<FeatureCompany> {
    const system = await RunningSystem.start()
    try {
      const operator = await Api.of(system.settings, 'operator')
      const { key } = await operator.give<{ key: string }>('POST', '/v1/companies', { id: 'features', name: 'Features' })
      const api = new Api(operator.url, key)
      await api.give('PUT', '/v1/configuration', { documents })
      return new FeatureCompany(system, api, await FactLog.open(api))
    } catch (fault) {
      await system[Symbol.asyncDispose]()
      throw fault
    }
  }

  /** A phone that is registered. */
  async phone(user: User): Promise<WirePhone> {
    const { port } = this.system.settings.sip
    const phone = await WirePhone.open({ user, domain, password: passwordOf(user) }, { address: '127.0.0.1', port })
    const { status } = await phone.register()
    if (status !== 200) throw new Error(`${user} was not registered: ${status}`)
    return phone
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.facts[Symbol.dispose]()
    await this.system[Symbol.asyncDispose]()
  }
}
