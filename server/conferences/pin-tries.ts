import type { Clock } from '#base/clock.ts'

export interface PinTriesNeeds {
  readonly clock: Clock
  readonly keep: (key: string, value: unknown) => void
  /** What was kept under keys that begin so. */
  readonly kept: (prefix: string) => ReadonlyMap<string, unknown>
}

/** Wrong PINs that a room takes in one day of its company, over all calls: further ones are not even asked for. */
export const TRIES_A_DAY = 10

const prefix = 'conference-tries/'

/** How often the PIN of each room was guessed wrong today. Survives the server. */
export class PinTries {
  readonly #needs: PinTriesNeeds
  readonly #days = new Map<string, { day: string; wrong: number }>()

  constructor(needs: PinTriesNeeds) {
    this.#needs = needs
    for (const [key, value] of needs.kept(prefix)) if (isDay(value)) this.#days.set(key, value)
  }

  /** How many wrong ones this room still takes today. */
  left(tenant: string, conference: string, timeZone: string): number {
    const known = this.#days.get(`${prefix}${tenant}/${conference}`)
    return known?.day === this.#today(timeZone) ? Math.max(0, TRIES_A_DAY - known.wrong) : TRIES_A_DAY
  }

  /** Another wrong one. @returns how many are left. */
  missed(tenant: string, conference: string, timeZone: string): number {
    const left = Math.max(0, this.left(tenant, conference, timeZone) - 1)
    const key = `${prefix}${tenant}/${conference}`
    const value = { day: this.#today(timeZone), wrong: TRIES_A_DAY - left }
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
