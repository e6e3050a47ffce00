import type { Clock } from '#base/clock.ts'
import type { NewFact } from '#contract/facts.ts'
import type { Caps } from '#contract/documents/people.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'
import type { Dialled } from '#server/numbering/numbering.ts'
import { Meter, type KeptMeter, type Metered } from '#server/outbound/meter.ts'
import { permit, ratePerMinute } from '#server/outbound/permit.ts'

/** Why a call may not go out: by permission or by cap. */
export interface Against {
  rule: string
  detail: string
  kind: 'barred' | 'capped'
}

/** Who wants to call: a person's phone, or the company itself through a flow it wrote. */
export interface Asking {
  tenant: string
  /** Null when a flow dials. */
  device: string | null
}

export interface GuardNeeds {
  clock: Clock
  tell: (fact: NewFact) => void
  keep: (key: string, value: unknown) => void
  kept: (key: string) => unknown
}

/** What a running call costs its company and device. Disposing ends it; idempotent. */
export interface RunningCost extends Disposable {
  /** Charged from here by the started minute. `end`: the money of the day is spent, with the reason. `warn`: a minute is left, where a cap asks to say so. */
  answered(ratePerMinute: number, end: (detail: string) => void, warn: () => void): void
}

/** An alarm about the same rule of the same company is raised at most this often. */
const alarmEveryMs = 60_000

/** Guards the company's money: what may be dialled, how much of it, and an alarm when somebody runs into a bound. */
export class OutboundGuard {
  #needs: GuardNeeds
  #ofCompanies = new Map<string, Meter>()
  /** By company, then device. */
  #ofDevices = new Map<string, Map<string, Meter>>()
  #alarmed = new Map<string, number>()

  constructor(needs: GuardNeeds) {
    this.#needs = needs
  }

  /** Null when the call may be made. A bound that is hit is an alarm fact. Emergency calls never come here. */
  check(book: CompiledConfig, asking: Asking, number: Dialled): Against | null {
    const { outbound } = book
    const barred = asking.device === null && outbound !== null ? null : permit(outbound, number, book.company.country)
    if (barred !== null) return this.#against(asking.tenant, { ...barred, kind: 'barred' })
    const rate = outbound === null ? 0 : ratePerMinute(outbound, number)
    const company = this.#meter(book, asking.tenant, null).check(outbound?.companyCaps, rate)
    if (company !== null) return this.#against(asking.tenant, { ...company, kind: 'capped' })
    if (asking.device === null) return null
    const caps = book.devices.get(asking.device)?.caps ?? outbound?.deviceCaps
    const device = this.#meter(book, asking.tenant, asking.device).check(caps, rate)
    return device === null
      ? null
      : this.#against(asking.tenant, { ...device, detail: `${asking.device}: ${device.detail}`, kind: 'capped' })
  }

  /** Puts a call on the meters of its company and device. */
  begin(book: CompiledConfig, asking: Asking): RunningCost {
    const { tenant, device } = asking
    const company = { of: null, caps: book.outbound?.companyCaps, cost: this.#meter(book, tenant, null).begin() }
    if (device === null) return new RunningCosts([company], (against) => void this.#against(tenant, against))
    const caps = book.devices.get(device)?.caps ?? book.outbound?.deviceCaps
    const own = { of: device, caps, cost: this.#meter(book, tenant, device).begin() }
    return new RunningCosts([company, own], (against) => void this.#against(tenant, against))
  }

  #meter(book: CompiledConfig, tenant: string, device: string | null): Meter {
    const known = device === null ? this.#ofCompanies.get(tenant) : this.#ofDevices.get(tenant)?.get(device)
    return known ?? this.#newMeter(book, tenant, device)
  }

  #newMeter(book: CompiledConfig, tenant: string, device: string | null): Meter {
    const key = device === null ? `spend/${tenant}` : `spend/${tenant}/${device}`
    const offset = offsetOf(book.company.timezone, () => this.#needs.clock.wall())
    const meter = new Meter(this.#needs.clock, offset, (kept) => this.#needs.keep(key, kept), keptMeter(this.#needs.kept(key)))
    if (device === null) this.#ofCompanies.set(tenant, meter)
    else {
      const there = this.#ofDevices.get(tenant)
      if (there === undefined) this.#ofDevices.set(tenant, new Map([[device, meter]]))
      else there.set(device, meter)
    }
    return meter
  }

  #against(tenant: string, against: Against): Against {
    const key = `${tenant}/${against.rule}`
    const last = this.#alarmed.get(key)
    const now = this.#needs.clock.now()
    if (last === undefined || now - last >= alarmEveryMs) {
      this.#alarmed.set(key, now)
      this.#needs.tell({ kind: 'alarm.raised', tenant, rule: against.rule, severity: 'warning', detail: against.detail })
    }
    return against
  }
}

/** How far a zone is from UTC, in milliseconds, asked of the calendar once a minute: zones change at full minutes. */
function offsetOf(timeZone: string, wall: () => number): () => number {
  let minute = Number.NaN
  let offset = 0
  return () => {
    const now = Math.floor(wall() / 60_000)
    if (now !== minute) {
      minute = now
      offset = Temporal.Instant.fromEpochMilliseconds(now * 60_000).toZonedDateTimeISO(timeZone).offsetNanoseconds / 1e6
    }
    return offset
  }
}

function keptMeter(value: unknown): KeptMeter | undefined {
  if (typeof value !== 'object' || value === null || !('day' in value) || !('spent' in value)) return undefined
  return typeof value.day === 'number' && typeof value.spent === 'number' ? { day: value.day, spent: value.spent } : undefined
}

/** What a call is charged on: `of` a device, or null for its company. */
interface OnMeter {
  readonly of: string | null
  readonly caps: Caps | undefined
  readonly cost: Metered
}

class RunningCosts implements RunningCost {
  readonly #running: readonly OnMeter[]
  readonly #against: (against: Against) => void

  constructor(running: readonly OnMeter[], against: (against: Against) => void) {
    this.#running = running
    this.#against = against
  }

  answered(rate: number, end: (detail: string) => void, warn: () => void): void {
    // Nothing is charged for what costs nothing, so that nothing is ever spent by it.
    if (rate <= 0) return
    let isWarned = false
    for (const { of, caps, cost } of this.#running) {
      const onSpent = (told: string): boolean => {
        const detail = of === null ? told : `${of}: ${told}`
        const goesOn = caps?.whenSpent === 'go-on'
        this.#against({ rule: 'spend-cap', detail: `${detail}; a call ${goesOn ? 'goes on' : 'was ended'}`, kind: 'capped' })
        if (!goesOn) end(detail)
        return goesOn
      }
      const onLastMinute = (): void => {
        if (caps?.whenSpent === 'announce' && !isWarned) warn()
        isWarned ||= caps?.whenSpent === 'announce'
      }
      cost.answered(rate, { caps, onSpent, onLastMinute })
    }
  }

  /** Idempotent, as each of them is. */
  [Symbol.dispose](): void {
    for (const { cost } of this.#running) cost[Symbol.dispose]()
  }
}
