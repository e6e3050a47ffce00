import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { EndpointRef, Fact } from '#contract/facts.ts'

/** One leg of a call on a phone, as others may see it (RFC 4235 §3.7). */
export interface LineDialog {
  /** Of the leg: unique, and the same as long as it lives. */
  readonly id: string
  readonly device: string
  /** Call-ID of its SIP dialog, where it is known. */
  readonly sip: string | null
  /** `initiator`: the phone called; `recipient`: it was called. */
  readonly direction: 'initiator' | 'recipient'
  readonly state: 'trying' | 'early' | 'confirmed'
  /** The phone has put its party on hold. */
  readonly held: boolean
  /** Whom the phone talks with, or is about to. */
  readonly remote: Remote
}

/** `number` is empty when it is withheld. */
export interface Remote {
  readonly number: string
  readonly name?: string
}

interface CallInHand {
  readonly from: Remote
  readonly to: Remote
  readonly legs: Map<string, LegInHand>
}
type LegInHand = { -readonly [K in keyof LineDialog]: LineDialog[K] } & {
  /** False: the leg of a trunk. */
  readonly onDevice: boolean
  readonly itself: Remote
}

/**
 * What every phone of every company is doing, read from the facts of calls: nothing else is asked, and no call knows of it. What a call
 * does before its first `call.started` or after its `call.ended` is not seen.
 */
export class LineDialogs {
  readonly #calls = new Map<string, CallInHand>()
  readonly #byDevice = new Map<string, Map<string, LineDialog>>()
  readonly #onChanged: (tenant: string, device: string) => void

  constructor(onChanged: (tenant: string, device: string) => void) {
    this.#onChanged = onChanged
  }

  /** Legs on a phone, in the order in which they began. */
  of(tenant: string, device: string): readonly LineDialog[] {
    return [...(this.#byDevice.get(`${tenant}/${device}`)?.values() ?? [])]
  }

  /** Who is at a leg of a call in hand; without a number when that is not known. */
  partyAt(call: string, leg: string): Remote {
    return this.#calls.get(call)?.legs.get(leg)?.itself ?? { number: '' }
  }

  /** Hears every fact, in order. */
  hear(fact: Fact): void {
    if (fact.call === undefined) return
    const { tenant } = fact
    switch (fact.kind) {
      case 'call.started':
        this.#calls.set(fact.call, { from: fact.from, to: fact.to, legs: new Map() })
        return
      case 'leg.started':
        this.#begin(tenant, fact.call, fact)
        return
      case 'leg.ringing':
        this.#change(tenant, fact.call, fact.leg, (leg) => (leg.state = leg.state === 'confirmed' ? 'confirmed' : 'early'))
        return
      case 'leg.answered':
        this.#change(tenant, fact.call, fact.leg, (leg) => (leg.state = 'confirmed'))
        return
      case 'leg.held':
      case 'leg.resumed':
        this.#change(tenant, fact.call, fact.leg, (leg) => (leg.held = fact.kind === 'leg.held'))
        return
      case 'bridge.joined':
        this.#join(tenant, fact.call, fact.legs)
        return
      case 'leg.ended':
        this.#end(tenant, fact.call, fact.leg)
        return
      case 'call.ended':
        for (const leg of this.#calls.get(fact.call)?.legs.keys() ?? []) this.#end(tenant, fact.call, leg)
        this.#calls.delete(fact.call)
        return
      default:
      // Nothing that a lamp shows.
    }
  }

  /** Takes up a call that an earlier life of the server began: its legs as they are now. */
  take(call: Call): void {
    const { tenant, from } = call.identity
    const inHand: CallInHand = { from, to: { number: '' }, legs: new Map() }
    this.#calls.set(call.id, inHand)
    for (const leg of call.legs) {
      const taken = legOf(leg, call.legs.find((other) => other !== leg)?.endpoint ?? from)
      inHand.legs.set(leg.id, taken)
      this.#put(tenant, taken)
    }
  }

  #begin(tenant: string, id: string, fact: Extract<Fact, { kind: 'leg.started' }>): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    const isCaller = fact.role === 'caller'
    const leg: LegInHand = {
      id: fact.leg,
      sip: fact.sip ?? null,
      direction: isCaller ? 'initiator' : 'recipient',
      state: 'trying',
      held: false,
      remote: isCaller ? call.to : call.from,
      ...endOf(fact.endpoint),
    }
    call.legs.set(leg.id, leg)
    this.#put(tenant, leg)
  }

  /** From now on each of two talks with the other: after an answer, a transfer, a pickup. */
  #join(tenant: string, call: string, [one, other]: readonly string[]): void {
    const legs = this.#calls.get(call)?.legs
    const a = legs?.get(one ?? '')
    const b = legs?.get(other ?? '')
    if (a === undefined || b === undefined) return
    this.#change(tenant, call, a.id, (leg) => (leg.remote = b.itself))
    this.#change(tenant, call, b.id, (leg) => (leg.remote = a.itself))
  }

  #change(tenant: string, call: string, id: string, change: (leg: LegInHand) => void): void {
    const leg = this.#calls.get(call)?.legs.get(id)
    if (leg === undefined) return
    change(leg)
    this.#put(tenant, leg)
  }

  #put(tenant: string, leg: LegInHand): void {
    // A phone that has not said that it rings may not be there at all: nobody is shown a call that it may never see.
    if (!leg.onDevice || (leg.direction === 'recipient' && leg.state === 'trying')) return
    const key = `${tenant}/${leg.device}`
    const there = this.#byDevice.get(key)
    if (there === undefined) this.#byDevice.set(key, new Map([[leg.id, leg]]))
    else there.set(leg.id, leg)
    this.#onChanged(tenant, leg.device)
  }

  #end(tenant: string, call: string, id: string): void {
    const legs = this.#calls.get(call)?.legs
    const leg = legs?.get(id)
    if (leg === undefined) return
    legs?.delete(id)
    if (!leg.onDevice) return
    const key = `${tenant}/${leg.device}`
    const there = this.#byDevice.get(key)
    there?.delete(id)
    if (there?.size === 0) this.#byDevice.delete(key)
    this.#onChanged(tenant, leg.device)
  }
}

function legOf(leg: Leg, remote: Remote): LegInHand {
  const { endpoint } = leg
  return {
    id: leg.id,
    sip: leg.dialog?.callId ?? null,
    direction: leg.role === 'caller' ? 'initiator' : 'recipient',
    state: leg.state === 'talking' ? 'confirmed' : 'early',
    held: false,
    remote: { number: remote.number, ...(remote.name !== undefined && { name: remote.name }) },
    ...endOf(endpoint),
  }
}

function endOf({ kind, id, number, name }: EndpointRef): Pick<LegInHand, 'device' | 'onDevice' | 'itself'> {
  return { device: id, onDevice: kind === 'device', itself: { number, ...(name !== undefined && { name }) } }
}
