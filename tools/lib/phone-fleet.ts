import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { simpleAgent } from '#server/demo-carrier/simple-agent.ts'
import type { Agent } from '#sip/agent/agent.ts'
import { Registration } from '#sip/registrar/registration.ts'

export interface FleetSpec {
  /** Where the system is. */
  server: { address: string; port: number }
  domain: string
  phones: readonly { user: string; password: string }[]
  /** Addresses that the phones share. */
  addresses: readonly string[]
  /** Seconds of life to ask for. */
  expires: number
}

/** What kept phones waiting while they came back. */
export interface Comeback {
  ms: number
  /** Attempts that were refused, by status, or not answered in 16 s. */
  failed: Record<string, number>
}

/** Thousands of phones that do nothing but register, as phones do: with retransmissions, and again after a while when they are refused. Disposing closes their sockets without a word. */
export class PhoneFleet implements AsyncDisposable {
  readonly #agents: Agent[] = []
  readonly #registrations: Registration[] = []
  #failed: Record<string, number> = {}
  #down = 0
  #allUp = Promise.withResolvers<void>()

  static async open({ server, domain, phones, addresses, expires }: FleetSpec): Promise<PhoneFleet> {
    const fleet = new PhoneFleet()
    const random = machineRandom()
    for (const address of addresses) {
      const at = [{ address, port: 0, setting: 'fleet' }]
      const { agent } = simpleAgent({
        ...{ clock: systemClock, random, log: silentLog, listen: { udp: at }, product: 'fleet' },
        onInvite: (incoming) => incoming.reject(486),
      })
      await agent.start()
      fleet.#agents.push(agent)
    }
    const agents = fleet.#agents
    for (const [i, { user, password }] of phones.entries()) {
      const agent = agents[i % agents.length]
      if (agent === undefined) throw new Error('a fleet needs an address')
      fleet.#registrations.push(
        new Registration(
          { clock: systemClock, random, agent },
          {
            ...{ registrar: `sip:${domain}`, aor: `<sip:${user}@${domain}>`, contactUser: user, expires },
            ...{ via: () => ({ transport: 'udp', ...server }), credentials: { user, password } },
          },
          { onUp: () => fleet.#isUp(), onDown: ({ status, why }) => fleet.#wasRefused(status === null ? why : String(status)) },
        ),
      )
    }
    return fleet
  }

  /** All register at once, whatever they were; resolves when the last one is registered. */
  async comeBack(): Promise<Comeback> {
    const startedAt = performance.now()
    this.#failed = {}
    this.#down = this.#registrations.length
    this.#allUp = Promise.withResolvers()
    for (const registration of this.#registrations) registration.startOver()
    await this.#allUp.promise
    return { ms: performance.now() - startedAt, failed: this.#failed }
  }

  /** Phones that are not back yet. */
  get missing(): number {
    return this.#down
  }

  #isUp(): void {
    this.#down--
    if (this.#down === 0) this.#allUp.resolve()
  }

  #wasRefused(why: string): void {
    this.#failed[why] = (this.#failed[why] ?? 0) + 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) await agent.close()
    // After the sockets, so that nobody hears of it.
    for (const registration of this.#registrations) void registration.stop()
  }
}
