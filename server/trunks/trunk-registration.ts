import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { SipAgent } from '#sip/agent.ts'
import { Registration } from '#sip/registrar/registration.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import type { TrunkAddresses } from '#server/trunks/trunk-link.ts'

/** What a trunk's registration needs from its link and the machine. */
export interface TrunkRegistrationNeeds {
  clock: Clock
  random: Random
  sip: Pick<SipAgent, 'request'>
  /** Where the registrar is now; empty while its name has no address. */
  addresses: () => TrunkAddresses
  onUp: () => void
  onDown: (why: string) => void
}

/** The Contact's user of a trunk without a user name of its own. */
const namelessUser = 'centrala'

/**
 * Keeps us known to a carrier that finds us by registration. The registrar is asked wherever the trunk's requests go (its outbound proxy, if
 * there is one), at its next address after one that was silent. Our Contact has the trunk's user name, and the carrier's calls come to it.
 */
export class TrunkRegistration {
  readonly #registration: Registration
  #attempt = 0
  #started = false

  constructor(needs: TrunkRegistrationNeeds, trunk: CompiledTrunk, password: string | null) {
    const user = trunk.username ?? namelessUser
    const authUser = trunk.authUser ?? trunk.username
    this.#registration = new Registration(
      { clock: needs.clock, random: needs.random, agent: needs.sip },
      {
        registrar: `sip:${trunk.domain}`,
        aor: `<sip:${user}@${trunk.domain}>`,
        contactUser: trunk.contactUser ?? user,
        expires: trunk.registerSeconds,
        via: () => addressOf(needs.addresses(), this.#attempt),
        ...(authUser !== null &&
          password !== null && { credentials: { user: authUser, password, ...(trunk.realms !== null && { realms: trunk.realms }) } }),
      },
      {
        onUp: () => needs.onUp(),
        onDown: ({ why, detail }) => {
          if (why !== 'refused') this.#attempt++
          needs.onDown(detail)
        },
      },
    )
  }

  get registered(): boolean {
    return this.#registration.isUp
  }

  /** Route values of the trunk's requests, as its registrar wants them (RFC 3608). */
  get serviceRoute(): readonly string[] {
    return this.#registration.serviceRoute
  }

  /** There is an address to register at. The first time, registers; later changes are taken up by the next attempt. */
  reachable(): void {
    if (this.#started) return
    this.#started = true
    this.#registration.start()
  }

  /** The registrar was away: registers now, whatever was planned, and counts as unregistered until then. False while there was nothing to lose yet. */
  startOver(): boolean {
    if (this.#started) this.#registration.startOver()
    return this.#started
  }

  /** Takes our binding away, as far as the registrar listens. */
  stop(): Promise<void> {
    return this.#registration.stop()
  }
}

function addressOf(addresses: TrunkAddresses, attempt: number): TrunkAddresses[number] | undefined {
  return addresses[attempt % Math.max(1, addresses.length)]
}
