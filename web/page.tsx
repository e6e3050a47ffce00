import { useEffect, useRef, useState } from 'react'
import type { Fact } from '#contract/facts.ts'
import type { Api } from '#web/access/api.ts'
import { CallDetail } from '#web/calls/call-detail.tsx'
import { CallLists } from '#web/calls/call-lists.tsx'
import { type Board, find } from '#web/calls/reducer.ts'
import { Announcer } from '#web/calls/announcer.tsx'
import { useCallKeys } from '#web/calls/use-call-keys.ts'
import { Conferences } from '#web/conferences/conferences.tsx'
import { Header } from '#web/header.tsx'
import { useNarrow } from '#web/look/use-narrow.ts'
import { useReader } from '#web/look/reader.ts'
import { useSetting } from '#web/look/use-setting.ts'
import { Extensions } from '#web/devices/extensions.tsx'
import type { Seen } from '#web/realtime/live.ts'
import { Trunks } from '#web/trunks/trunks.tsx'

interface PageProps {
  seen: Seen
  api: Api
  onLanguage: (language: string) => void
  onSignOut: () => void
}

/** The whole page: who there is on the left, calls in the middle, the chosen call on the right. */
export function Page({ seen, api, onLanguage, onSignOut }: PageProps) {
  const { page } = useReader().words
  const { board, link } = seen
  useEffect(() => void (document.title = titleOf(seen)), [seen])
  return (
    <div className="page">
      <a className="skip" href="#calls">
        {page.skip}
      </a>
      <Header company={board?.company ?? null} link={link} onLanguage={onLanguage} />
      {board === null ? (
        <main className="waiting muted" role="status">
          {link === 'reconnecting' ? page.unreachable : page.loading}
        </main>
      ) : (
        <Columns board={board} seen={seen} api={api} onSignOut={onSignOut} />
      )}
      <Announcer board={board} newest={seen.newest} />
    </div>
  )
}

interface ColumnsProps {
  board: Board
  seen: Seen
  api: Api
  onSignOut: () => void
}

function Columns({ board, seen, api, onSignOut }: ColumnsProps) {
  const { page } = useReader().words
  const [chosen, setChosen] = useState<string | null>(null)
  const [keys, setKeys] = useSetting('keys', 'on')
  const narrow = useNarrow()
  const main = useRef<HTMLElement>(null)
  const close = (): void => {
    setChosen(null)
    // In one column the list is there again only after this change.
    setTimeout(() => document.getElementById(`call-${chosen}`)?.focus())
  }
  useCallKeys({ main, lettersOn: keys === 'on', onClose: chosen === null ? null : close })
  const call = chosen === null ? null : find(board, chosen)
  const isAway = seen.link === 'reconnecting'
  const classes = ['columns', call === null ? '' : 'with-detail', isAway ? 'stale' : ''].filter((name) => name !== '')
  return (
    <div className={classes.join(' ')}>
      <Lines board={board} api={api} isFolded={narrow} isHidden={narrow && call !== null} onPlaced={setChosen} />
      <main id="calls" ref={main} tabIndex={-1} hidden={narrow && call !== null}>
        {isAway && (
          <p className="notice" role="status">
            {page.unreachable}
          </p>
        )}
        <Conferences conferences={board.conferences} api={api} mayAct={board.may === 'act'} />
        <CallLists board={board} api={api} chosen={chosen} onChoose={setChosen} />
        <footer>
          <label>
            <input type="checkbox" checked={keys === 'on'} onChange={(event) => setKeys(event.target.checked ? 'on' : 'off')} /> {page.keys}
          </label>
          <span className="muted">{page.keysHelp}</span>
          <button type="button" className="quiet" onClick={onSignOut}>
            {page.signOut}
          </button>
        </footer>
      </main>
      {call !== null && (
        <CallDetail key={call.id} call={call} board={board} heard={seen.facts.get(call.id) ?? nothing} api={api} onClose={close} />
      )}
    </div>
  )
}

const nothing: readonly Fact[] = []

interface LinesProps {
  board: Board
  api: Api
  isFolded: boolean
  isHidden: boolean
  onPlaced: (call: string) => void
}

/** Extensions and trunks; folded away where calls need the room. */
function Lines({ board, api, isFolded, isHidden, onPlaced }: LinesProps) {
  const { page } = useReader().words
  // They stand among the conferences.
  const rooms = new Set(board.conferences.map(({ number }) => number))
  const lines = (
    <>
      <Extensions extensions={board.extensions.filter(({ number }) => !rooms.has(number))} api={api} onPlaced={onPlaced} />
      <Trunks trunks={board.trunks} />
    </>
  )
  if (!isFolded) return <div className="lines">{lines}</div>
  return (
    <details className="lines" hidden={isHidden}>
      <summary>
        {page.phones} · {page.trunks}
      </summary>
      {lines}
    </details>
  )
}

function titleOf({ board }: Seen): string {
  if (board === null) return 'Centrala'
  return board.calls.length === 0 ? `${board.company.name} · Centrala` : `(${board.calls.length}) ${board.company.name} · Centrala`
}
