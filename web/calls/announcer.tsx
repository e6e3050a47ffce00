import { find, type Board } from '#web/calls/reducer.ts'
import { useReader } from '#web/look/reader.ts'

/** Says a new call once to whoever listens to the page rather than sees it. */
export function Announcer({ board, newest }: { board: Board | null; newest: string | null }) {
  const { page } = useReader().words
  const call = board === null || newest === null ? null : find(board, newest)
  return (
    <div className="unseen" role="status" aria-live="polite">
      {call !== null && page.newCall(call.from.name ?? call.from.number, call.to.number)}
    </div>
  )
}
