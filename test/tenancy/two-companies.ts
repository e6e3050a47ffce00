import { RunningSystem } from '#test/system/running-system.ts'
import { Api } from '#test/support/api.ts'
import { FactLog } from '#test/support/fact-log.ts'
import { type PhoneAccount, WirePhone } from '#test/support/wire-phone.ts'

/** One of two companies of the same shape: extensions 100 and 101, a number, a SIP domain of its own. */
export interface Company {
  api: Api
  facts: FactLog
  phones: readonly [WirePhone, WirePhone]
  domain: string
}

function documents(name: string, number: string): unknown[] {
  const phones = ['100', '101'].flatMap((ext) => [
    { kind: 'device', id: `phone-${ext}`, username: ext, password: passwordOf(name, ext) },
    { kind: 'extension', id: ext, number: ext, target: { device: `phone-${ext}` } },
  ])
  return [
    {
      kind: 'company',
      id: name,
      name,
      timezone: 'Europe/Moscow',
      country: 'RU',
      language: 'en',
      sipDomains: [`${name}.test`],
      mainNumber: 'main',
    },
    { kind: 'number', id: 'main', number, target: { extension: '100' } },
    { kind: 'recording', id: 'everything' },
    ...phones,
  ]
}

function passwordOf(name: string, ext: string): string {
  return `${name} keeps ${ext} to itself`
}

/** A system with two companies that differ in domain, number and passwords only. */
export class TwoCompanies implements AsyncDisposable {
  readonly system: RunningSystem
  readonly red: Company
  readonly blue: Company
  readonly sip: { address: string; port: number }
  readonly #owned: AsyncDisposableStack

  private constructor(parts: {
    system: RunningSystem
    red: Company
    blue: Company
    sip: { address: string; port: number }
    owned: AsyncDisposableStack
  }) {
    this.system = parts.system
    this.red = parts.red
    this.blue = parts.blue
    this.sip = parts.sip
    this.#owned = parts.owned
  }

  static async start(): Promise<TwoCompanies> {
    await using closing = new AsyncDisposableStack()
    const system = closing.use(await RunningSystem.start())
    const sip = { address: '127.0.0.1', port: system.settings.sip.port }
    const operator = await Api.of(system.settings, 'operator')
    const open = async (name: string, number: string): Promise<Company> => {
      const made = await operator.give<{ key: string }>('POST', '/v1/companies', { id: name, name })
      const api = new Api(operator.url, made.key)
      await api.give('PUT', '/v1/configuration', { documents: documents(name, number) })
      const facts = closing.use(await FactLog.open(api))
      const phone = async (user: string): Promise<WirePhone> =>
        closing.use(await WirePhone.open({ user, domain: `${name}.test`, password: passwordOf(name, user) } satisfies PhoneAccount, sip))
      return { api, facts, phones: [await phone('100'), await phone('101')], domain: `${name}.test` }
    }
    const red = await open('red', '+74950000200')
    const blue = await open('blue', '+74950000300')
    return new TwoCompanies({ system, red, blue, sip, owned: closing.move() })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync()
  }
}

/** A call between the two phones of one company that has ended; its id in the API. */
export async function callWithin(company: Company, callId?: string): Promise<string> {
  const [one, other] = company.phones
  const mark = company.facts.mark
  const answered = other.answered()
  const call = await one.call('101', callId === undefined ? {} : { callId })
  if (call.status !== 200) throw new Error(`${company.domain}: ${call.message.first}`)
  await answered
  await call.bye()
  await (await answered).ended()
  const ended = await company.facts.next('call.ended', () => true, mark)
  return ended.call ?? ''
}

/** The recording of a call that has ended; its id in the API. */
export async function recordingOf(company: Company, call: string): Promise<string> {
  const { recording } = await company.facts.next('recording.ended', (fact) => fact.call === call)
  return recording
}
