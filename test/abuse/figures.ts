import assert from 'node:assert/strict'
import type { RunningSystem } from '#test/system/running-system.ts'

/** Figures of the server, as anybody may read them. */
export interface Figures {
  memoryBytes: number
  calls: number
  dialogs: number
  transactions: number
  timers: number
  endpoints: number
  connections: number
  /** Messages that were not looked at, since the start. */
  dropped: number
  turns: Durations
  /** Of single messages, over any transport. */
  messages: Durations
  /** The longest piece of work of the last minute or two, for people. */
  longest: string
}

/** How many, and how many of them took longer than 20, 50 and 250 ms of processor time. */
export interface Durations {
  count: number
  over20: number
  over50: number
  over250: number
}

/**
 * So many may be slow: memory is cleared now and then, and what thousands of connections that end at one instant cost the runtime counts as the
 * work of the message before.
 */
const slow = 3
/** And in a flood that lasts, of so many turns of the loop one: it is cleared as often as it fills. */
const turnsToClear = 5_000

/** Reads `/metrics`. */
export async function figuresOf(system: RunningSystem): Promise<Figures> {
  const { http } = system.settings
  const text = await (await fetch(`http://${http.address}:${http.port}/metrics`)).text()
  const figure = (name: string): number => Number(new RegExp(`^centrala_${name} (\\S+)`, 'm').exec(text)?.[1])
  return {
    memoryBytes: figure('process_resident_memory_bytes'),
    calls: figure('calls'),
    dialogs: figure('sip_dialogs'),
    transactions: figure('sip_transactions'),
    timers: figure('timers'),
    endpoints: figure('media_endpoints'),
    connections: figure('sip_connections'),
    dropped: figure('sip_dropped'),
    turns: durations(text, 'turn_seconds_bucket{'),
    messages: durations(text, 'work_seconds_bucket{work="(?:udp|tcp|tls|ws|wss)",'),
    longest: /^centrala_longest_work_seconds.*$/m.exec(text)?.[0] ?? '',
  }
}

/** Sums over all series that match. */
function durations(text: string, series: string): Durations {
  const upTo = (le: string): number =>
    [...text.matchAll(new RegExp(`^centrala_${series}le="${le.replaceAll(/[.+]/g, '\\$&')}"\\} (\\d+)`, 'gm'))].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    )
  const count = upTo('+Inf')
  return { count, over20: count - upTo('0.02'), over50: count - upTo('0.05'), over250: count - upTo('0.25') }
}

/**
 * What the attack made the server do held up nobody else: 99 of 100 turns of its event loop took less than 20 ms, and no message took
 * 50, but for a few, and those no quarter of a second. In processor time, so that it does not matter what else the machine does; but a virtual
 * machine that is stopped counts the time as that of whoever was at work: `halts`, so often it was, and may so many have taken a quarter.
 */
export function assertNoStall(before: Figures, after: Figures, halts: number): void {
  const since = (which: 'turns' | 'messages', what: keyof Durations): number => after[which][what] - before[which][what]
  const told = `${since('turns', 'over20')} of ${since('turns', 'count')} turns took over 20 ms, ${since('messages', 'over50')} messages over 50, ${since('messages', 'over250')} over 250, ${halts} halts; ${after.longest}`
  assert.ok(since('turns', 'over20') <= Math.max(slow, since('turns', 'count') / 100), told)
  assert.ok(since('messages', 'over50') <= Math.max(slow, since('turns', 'count') / turnsToClear), told)
  assert.ok(since('messages', 'over250') <= halts, told)
}
