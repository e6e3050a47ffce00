/** Instants and durations as a person in the company's time zone reads them. */
export interface Times {
  /** 14:03 */
  clock: (at: number) => string
  /** 22 November 2026 at 14:03:27 */
  exact: (at: number) => string
  /** 3 minutes ago */
  ago: (at: number, now: number) => string
  /** 1 min 5 s; tenths below ten seconds are left out */
  duration: (ms: number) => string
}

export function timesOf(language: string, timeZone: string): Times {
  const zone = zoneOf(timeZone)
  const clock = new Intl.DateTimeFormat(language, { timeZone: zone, hour: '2-digit', minute: '2-digit' })
  const exact = new Intl.DateTimeFormat(language, { timeZone: zone, dateStyle: 'long', timeStyle: 'long' })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' })
  const duration = new Intl.DurationFormat(language, { style: 'short' })
  return {
    clock: (at) => clock.format(at),
    exact: (at) => exact.format(at),
    ago: (at, now) => {
      const seconds = Math.round((at - now) / 1_000)
      for (const [unit, size] of units) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
      return relative.format(Math.abs(seconds) < justNowSeconds ? 0 : seconds, 'second')
    },
    duration: (ms) => {
      const seconds = Math.round(ms / 1_000)
      if (seconds < 60) return duration.format({ seconds })
      return duration.format({ hours: Math.floor(seconds / 3_600), minutes: Math.floor(seconds / 60) % 60, seconds: seconds % 60 })
    },
  }
}

/** Running time: 0:07, 12:34, 1:02:03. */
export function timer(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** Time since the start of a call, to a hundredth of a second: +0.04, +12.30, +1:02.50. */
export function offset(ms: number): string {
  const hundredths = Math.max(0, Math.round(ms / 10))
  const [minutes, rest] = [Math.floor(hundredths / 6_000), hundredths % 6_000]
  const seconds = (rest / 100).toFixed(2)
  return minutes > 0 ? `+${minutes}:${seconds.padStart(5, '0')}` : `+${seconds}`
}

const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const
const justNowSeconds = 5

/** A browser may not know a zone that the server knows. */
function zoneOf(timeZone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone
  } catch {
    return 'UTC'
  }
}
