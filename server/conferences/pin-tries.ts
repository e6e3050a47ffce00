import type { Clock } from '#base/clock.ts'

export interface PinTriesNeeds {
  readonly clock: Clock
  readonly keep: (key: string, value: unknown) => void
  /** What was kept under keys that begin so. */
  readonly kept: (prefix: string) => ReadonlyMap<string, unknown>
}

/** Wrong PINs that a room takes in one day of its company, over all calls: further ones are not even asked for. */
export const TRIES_A_DAY = 10

/** Whose guesses are counted, and how many are taken in a day. */
export interface PinTriesTerms {
  readonly prefix: string
  readonly aDay: number
}

const ofConferences: PinTriesTerms = { prefix: 'conference-tries/', aDay: TRIES_A_DAY }

/** How often the PIN of each room, or whatever else has one, was guessed wrong today. Survives the server. */
export class PinTries {
  readonly #needs: PinTriesNeeds
  readonly #terms: PinTriesTerms
  readonly #days = new Map<string, { day: string; wrong: number }>()

  constructor(needs: PinTriesNeeds, terms = ofConferences) {
    this.#needs = needs
    this.#terms = terms
    for (const [key, value] of needs.kept(terms.prefix)) if (isDay(value)) this.#days.set(key, value)
  }

  /** How many wrong ones are still taken today. */
  left(tenant: string, name: string, timeZone: string): number {
    const known = this.#days.get(`${this.#terms.prefix}${tenant}/${name}`)
    return known?.day === this.#today(timeZone) ? Math.max(0, this.#terms.aDay - known.wrong) : this.#terms.aDay
  }

  /** Another wrong one. @returns how many are left. */
  missed(tenant: string, name: string, timeZone: string): number {
    const left = Math.max(0, this.left(tenant, name, timeZone) - 1)
    const key = `${this.#terms.prefix}${tenant}/${name}`
    const value = { day: this.#today(timeZone), wrong: this.#terms.aDay - left }
    this.#days.set(key, value)
    this.#needs.keep(key, value)
    return left
  }

  #today(timeZone: string): string {
    return Temporal.Instant.fromEpochMilliseconds(Math.floor(this.#needs.clock.wall()))
      .toZonedDateTimeISO(timeZone)
      .toPlainDate()
      .toString()
  }
}

function isDay(value: unknown): value is { day: string; wrong: number } {
  return typeof value === 'object' && value !== null && 'day' in value && 'wrong' in value && typeof value.wrong === 'number'
}
