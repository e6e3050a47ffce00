import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { openJournal } from '#server/journal/index.ts'

/** A process for the crash test: appends for ever, and says how many facts it was told are on disk. */
const journal = await openJournal({ folder: process.argv[2] ?? '', clock: systemClock, log: silentLog, segmentBytes: 20_000 })
let count = 0
function more(): void {
  for (let i = 0; i < 7; i++) journal.append({ kind: 'leg.answered', tenant: 'alfa', call: 'a', leg: String(++count) })
  const now = count
  journal.keep('count', now)
  journal.whenKept(() => {
    process.send?.(now)
    setImmediate(more)
  })
}
more()
