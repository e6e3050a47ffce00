import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Day } from '#test/soak/day.ts'
import type { Held } from '#test/soak/house.ts'

/** What a day came to. */
export interface Lived {
  /** When everybody was registered and nobody had called. */
  before: Held
  /** At the end of each hour, three quarters after the last call began. */
  hours: { held: Held; heapBytes: number }[]
  /** When everybody had been gone for three hours. */
  after: Held
  faults: readonly string[]
  /** How often each fact was told. */
  told: Record<string, number>
}

/**
 *     node test/soak/live.ts SEED HOURS SCENES-PER-HOUR
 *
 * Lives a day and prints what it came to. A process of its own: the test runner follows every promise, of which a day has millions, and
 * what it keeps of them would be taken for a leak.
 */
const [seed = 1, hours = 24, scenes = 200] = process.argv.slice(2).map(Number)
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

await using day = await Day.begin(seed)
const { house } = day
const lived: Lived = { before: house.held, hours: [], after: house.held, faults: house.town.faults, told: {} }
for (let hour = 0; hour < hours; hour++) {
  await day.hour(scenes)
  // What was promised is told in a later turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  lived.hours.push({ held: house.held, heapBytes: process.memoryUsage().heapUsed })
}
await day.end()
lived.after = house.held
lived.told = Object.fromEntries(house.told)
process.stdout.write(JSON.stringify(lived))
