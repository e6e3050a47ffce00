import { useState } from 'react'
import type { CallView } from '#contract/api/calls.ts'
import type { Api } from '#web/access/api.ts'
import { CallRow } from '#web/calls/call-row.tsx'
import { matches } from '#web/calls/filter.ts'
import type { Board } from '#web/calls/reducer.ts'
import { statusOf } from '#web/calls/status.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'
import { outcomeWords } from '#web/words/outcome-words.ts'
import type { Words } from '#web/words/words.ts'

interface CallListsProps {
  board: Board
  api: Api
  chosen: string | null
  onChoose: (call: string) => void
}

/** Calls in progress, newest first, and below them those that have just ended. */
export function CallLists({ board, api, chosen, onChoose }: CallListsProps) {
  const { words } = useReader()
  const { page } = words
  const [filter, setFilter] = useState('')
  const isShown = (call: CallView): boolean => filter.trim() === '' || matches(call, filter.trim(), searchable(call, words))
  const live = board.calls.filter(isShown).toReversed()
  const ended = board.ended.filter(isShown)
  const list = (calls: readonly CallView[]) => (
    <ul className="calls">
      {calls.map((call) => (
        <CallRow key={call.id} call={call} board={board} api={api} isChosen={call.id === chosen} onChoose={() => onChoose(call.id)} />
      ))}
    </ul>
  )
  const nothing = filter.trim() === '' ? null : page.noMatch
  return (
    <>
      <div className="filter">
        <Icon name="search" />
        <input
          type="search"
          aria-label={page.filter}
          placeholder={page.filter}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || filter === '') return
            event.preventDefault()
            event.stopPropagation()
            setFilter('')
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <section aria-labelledby="live">
        <h2 id="live">
          {page.live} <span className="count">{board.calls.length}</span>
        </h2>
        {live.length === 0 ? <p className="empty">{board.calls.length === 0 ? page.noLive : nothing}</p> : list(live)}
      </section>
      <section aria-labelledby="ended">
        <h2 id="ended">
          {page.ended} <span className="count">{board.ended.length}</span>
        </h2>
        {ended.length === 0 ? (
          <p className="empty">
            {board.ended.length > 0 ? (
              nothing
            ) : (
              <>
                {page.noEnded}
                {board.company.number !== null && (
                  <>
                    {' '}
                    {page.hear} <code>npx centrala call {board.company.number}</code>
                  </>
                )}
              </>
            )}
          </p>
        ) : (
          list(ended)
        )}
      </section>
    </>
  )
}

/** What a row says in words, so that it can be found by them. */
function searchable(call: CallView, words: Words): string {
  const { kind } = statusOf(call)
  return [words.direction[call.direction], outcomeWords(call.outcome, words), kind === 'other' ? '' : words.status[kind]].join(' ')
}
