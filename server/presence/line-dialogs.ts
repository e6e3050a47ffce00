import type { Call } from '#calls/call.ts'
import type { Leg } from '#calls/leg.ts'
import type { Fact } from '#contract/facts.ts'

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
  /** A list: there are few, and each call has one for as long as it lasts. */
  readonly legs: LegInHand[]
}
type LegInHand = { -readonly [K in keyof LineDialog]: LineDialog[K] } & {
  /** False: the leg of a trunk. */
  readonly onDevice: boolean
  readonly itself: Remote
  /** All legs on its phone, once it is shown there. */
  there: Map<string, LineDialog> | null
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
    return this.#legOf(call, leg)?.itself ?? { number: '' }
  }

  /** Hears every fact, in order. */
  hear(fact: Fact): void {
    if (fact.call === undefined) return
    switch (fact.kind) {
      case 'call.started':
        this.#calls.set(fact.call, { from: fact.from, to: fact.to, legs: [] })
        return
      case 'leg.started':
        this.#begin(fact.tenant, fact.call, fact)
        return
      case 'leg.ringing':
      case 'leg.answered':
      case 'leg.held':
      case 'leg.resumed':
        this.#change(fact.tenant, this.#legOf(fact.call, fact.leg), fact.kind)
        return
      case 'bridge.joined':
        this.#join(fact.tenant, fact.call, fact.legs)
        return
      case 'leg.ended':
        this.#end(fact.tenant, this.#calls.get(fact.call), fact.leg)
        return
      case 'call.ended':
        this.#endAll(fact.tenant, fact.call)
        return
      default:
      // Nothing that a lamp shows.
    }
  }

  /** Takes up a call that an earlier life of the server began: its legs as they are now. */
  take(call: Call): void {
    const { tenant, from } = call.identity
    const inHand: CallInHand = { from, to: { number: '' }, legs: [] }
    this.#calls.set(call.id, inHand)
    for (const leg of call.legs) {
      const taken = legOf(leg, call.legs.find((other) => other !== leg)?.endpoint ?? from)
      inHand.legs.push(taken)
      this.#put(tenant, taken)
    }
  }

  #begin(tenant: string, id: string, fact: Extract<Fact, { kind: 'leg.started' }>): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    const isCaller = fact.role === 'caller'
    const leg: LegInHand = {
      id: fact.leg,
      device: fact.endpoint.id,
      sip: fact.sip ?? null,
      direction: isCaller ? 'initiator' : 'recipient',
      state: 'trying',
      held: false,
      remote: isCaller ? call.to : call.from,
      onDevice: fact.endpoint.kind === 'device',
      itself: remoteOf(fact.endpoint),
      there: null,
    }
    call.legs.push(leg)
    this.#put(tenant, leg)
  }

  /** From now on each of two talks with the other: after an answer, a transfer, a pickup. */
  #join(tenant: string, call: string, [one, other]: readonly string[]): void {
    const a = this.#legOf(call, one)
    const b = this.#legOf(call, other)
    if (a === undefined || b === undefined) return
    a.remote = b.itself
    this.#put(tenant, a)
    b.remote = a.itself
    this.#put(tenant, b)
  }

  #legOf(call: string, id: string | undefined): LegInHand | undefined {
    return this.#calls.get(call)?.legs.find((leg) => leg.id === id)
  }

  #change(tenant: string, leg: LegInHand | undefined, what: 'leg.ringing' | 'leg.answered' | 'leg.held' | 'leg.resumed'): void {
    if (leg === undefined) return
    if (what === 'leg.answered') leg.state = 'confirmed'
    else if (what !== 'leg.ringing') leg.held = what === 'leg.held'
    else if (leg.state === 'trying') leg.state = 'early'
    this.#put(tenant, leg)
  }

  /** Something of it has changed. */
  #put(tenant: string, leg: LegInHand): void {
    // A phone that has not said that it rings may not be there at all: nobody is shown a call that it may never see.
    if (!leg.onDevice || (leg.direction === 'recipient' && leg.state === 'trying')) return
    if (leg.there === null) {
      const key = `${tenant}/${leg.device}`
      leg.there = this.#byDevice.get(key) ?? new Map<string, LineDialog>()
      if (leg.there.size === 0) this.#byDevice.set(key, leg.there)
      leg.there.set(leg.id, leg)
    }
    this.#onChanged(tenant, leg.device)
  }

  #endAll(tenant: string, id: string): void {
    const call = this.#calls.get(id)
    for (const leg of call?.legs.slice() ?? []) this.#end(tenant, call, leg.id)
    this.#calls.delete(id)
  }

  #end(tenant: string, call: CallInHand | undefined, id: string): void {
    const at = call?.legs.findIndex((leg) => leg.id === id) ?? -1
    const [leg] = at < 0 ? [] : (call?.legs.splice(at, 1) ?? [])
    if (leg?.onDevice !== true) return
    leg.there?.delete(id)
    if (leg.there?.size === 0) this.#byDevice.delete(`${tenant}/${leg.device}`)
    this.#onChanged(tenant, leg.device)
  }
}

function legOf(leg: Leg, remote: Remote): LegInHand {
  const { endpoint } = leg
  return {
    id: leg.id,
    device: endpoint.id,
    sip: leg.dialog?.callId ?? null,
    direction: leg.role === 'caller' ? 'initiator' : 'recipient',
    state: leg.state === 'talking' ? 'confirmed' : 'early',
    held: false,
    remote: remoteOf(remote),
    onDevice: endpoint.kind === 'device',
    itself: remoteOf(endpoint),
    there: null,
  }
}

/** Nothing more of it than others are shown. */
function remoteOf({ number, name }: Remote): Remote {
  return name === undefined ? { number } : { number, name }
}
