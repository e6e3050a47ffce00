import type { Fact } from '#contract/facts.ts'
import type { LineDialog, Remote } from '#server/presence/line-dialogs.ts'

/** Who waits in the parking slots of all companies, as their lamps show it: read from the facts of calls. */
export class SlotLamps {
  readonly #slots = new Map<string, LineDialog>()
  readonly #onChanged: (tenant: string, slot: string) => void

  constructor(onChanged: (tenant: string, slot: string) => void) {
    this.#onChanged = onChanged
  }

  of(tenant: string, slot: string): readonly LineDialog[] {
    const dialog = this.#slots.get(`${tenant}/${slot}`)
    return dialog === undefined ? [] : [dialog]
  }

  /** Hears every fact, in order. `partyOf`: who is at a leg. */
  hear(fact: Fact, partyOf: (call: string, leg: string) => Remote): void {
    if (fact.kind === 'call.parked') this.take(fact.tenant, fact.slot, fact.leg, partyOf(fact.call ?? '', fact.leg))
    else if (fact.kind === 'call.unparked' && this.#slots.delete(`${fact.tenant}/${fact.slot}`)) this.#onChanged(fact.tenant, fact.slot)
  }

  /** Somebody waits there, from now or from an earlier life of the server on. */
  take(tenant: string, slot: string, leg: string, remote: Remote): void {
    const isParked = { direction: 'recipient', state: 'confirmed', held: true } as const
    this.#slots.set(`${tenant}/${slot}`, { id: `${leg}-parked`, device: '', sip: null, ...isParked, remote })
    this.#onChanged(tenant, slot)
  }
}
