import { RunningSystem } from '#test/system/running-system.ts'
import { Api } from '#test/support/api.ts'
import { FactLog } from '#test/support/fact-log.ts'
import { WirePhone } from '#test/support/wire-phone.ts'

/** A configuration document as JSON; the system under test says whether it is one. */
export type Doc = { kind: string; id: string } & Record<string, unknown>

const password = 'correct horse battery'

/** A small company: a phone with extension 100, one public number that rings it, and nothing outside. */
export function acme(...more: Doc[]): Doc[] {
  return [
    {
      kind: 'company',
      id: 'acme',
      name: 'Acme',
      timezone: 'Europe/Moscow',
      country: 'RU',
      language: 'en',
      sipDomains: ['acme.test'],
      mainNumber: 'main',
    },
    { kind: 'number', id: 'main', number: '+74950000100', target: { extension: '100' } },
    { kind: 'number', id: 'second', number: '+74950000101', target: { extension: '100' } },
    { kind: 'device', id: 'desk', username: '100', password, algorithms: ['MD5'], callerId: '+74950000101' },
    { kind: 'extension', id: '100', number: '100', target: { device: 'desk' } },
    ...more,
  ]
}

export function trunk(id: string, address: string, port: number, more: Record<string, unknown> = {}): Doc {
  return { kind: 'trunk', id, host: address, port, healthSeconds: 0, ...more }
}

/** Sends everything to these trunks, in this order. */
export function everythingTo(...trunks: string[]): Doc {
  return { kind: 'outbound', id: 'out', routes: [{ trunks }], permissions: { international: true } }
}

/** A running system whose company is `acme` with the given documents, its events, and its phone. */
export class AcmeSystem implements AsyncDisposable {
  readonly system: RunningSystem
  readonly api: Api
  readonly facts: FactLog
  readonly phone: WirePhone
  readonly sip: { address: string; port: number }

  private constructor(parts: {
    system: RunningSystem
    api: Api
    facts: FactLog
    phone: WirePhone
    sip: { address: string; port: number }
  }) {
    this.system = parts.system
    this.api = parts.api
    this.facts = parts.facts
    this.phone = parts.phone
    this.sip = parts.sip
  }

  static async start(documents: readonly Doc[], settings: Record<string, string> = {}): Promise<AcmeSystem> {
    const system = await RunningSystem.start(settings)
    await using closing = new AsyncDisposableStack()
    closing.use(system)
    const sip = { address: '127.0.0.1', port: system.settings.sip.port }
    const api = await Api.of(system.settings, 'page')
    await api.give('PUT', '/v1/configuration', { documents })
    const facts = closing.use(await FactLog.open(api))
    const phone = await WirePhone.open({ user: '100', domain: 'acme.test', password }, sip)
    closing.move()
    return new AcmeSystem({ system, api, facts, phone, sip })
  }

  apply(documents: readonly Doc[]): Promise<unknown> {
    return this.api.give('PUT', '/v1/configuration', { documents })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.facts[Symbol.dispose]()
    await this.phone[Symbol.asyncDispose]()
    await this.system[Symbol.asyncDispose]()
  }
}
