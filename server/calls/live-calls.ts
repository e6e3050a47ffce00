import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { DialogName } from '#sip/dialog/replaces.ts'

/** Every call in progress on this server. */
export class LiveCalls {
  #calls = new Map<string, Call>()
  #byTenant = new Map<string, Set<Call>>()

  get size(): number {
    return this.#calls.size
  }

  add(call: Call): void {
    this.#calls.set(call.id, call)
    const { tenant } = call.identity
    const there = this.#byTenant.get(tenant)
    if (there === undefined) this.#byTenant.set(tenant, new Set([call]))
    else there.add(call)
    call.ended.on(() => this.#remove(call))
  }

  /** A call of this company; another company's does not exist for it. */
  get(tenant: string, id: string): Call | null {
    const call = this.#calls.get(id)
    return call?.identity.tenant === tenant ? call : null
  }

  of(tenant: string): Iterable<Call> {
    return this.#byTenant.get(tenant) ?? []
  }

  /** The leg of this company with a dialog of that name. */
  legOf(tenant: string, isNamed: (dialog: DialogName) => boolean): Leg | null {
    for (const call of this.of(tenant)) {
      const leg = call.legs.find((each) => each.names.some(isNamed))
      if (leg !== undefined) return leg
    }
    return null
  }

  all(): Iterable<Call> {
    return this.#calls.values()
  }

  /** Whether a phone is on a call, however many contacts it has. */
  isBusy(tenant: string, device: string): boolean {
    for (const call of this.of(tenant)) {
      if (call.legs.some((leg) => leg.endpoint.kind === 'device' && leg.endpoint.id === device && leg.state === 'talking')) return true
    }
    return false
  }

  #remove(call: Call): void {
    this.#calls.delete(call.id)
    const there = this.#byTenant.get(call.identity.tenant)
    there?.delete(call)
    if (there?.size === 0) this.#byTenant.delete(call.identity.tenant)
  }
}
