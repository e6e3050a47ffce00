import { useEffect, useRef, useState } from 'react'
import type { Api } from '#web/access/api.ts'
import { CallDetail } from '#web/calls/call-detail.tsx'
import { CallLists } from '#web/calls/call-lists.tsx'
import { find } from '#web/calls/reducer.ts'
import { Announcer } from '#web/calls/announcer.tsx'
import { useCallKeys } from '#web/calls/use-call-keys.ts'
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
  const [chosen, setChosen] = useState<string | null>(null)
  const [keys, setKeys] = useSetting('keys', 'on')
  const narrow = useNarrow()
  const main = useRef<HTMLElement>(null)
  const close = (): void => {
    const opener = chosen === null ? null : document.getElementById(`call-${chosen}`)
    setChosen(null)
    // In one column the list comes back only now.
    setTimeout(() => (opener?.isConnected === true ? opener : document.getElementById(`call-${chosen}`))?.focus())
  }
  useCallKeys({ main, lettersOn: keys === 'on', onClose: chosen === null ? null : close })
  useEffect(() => void (document.title = titleOf(seen)), [seen])

  const call = board === null || chosen === null ? null : find(board, chosen)
  const lines = board !== null && (
    <>
      <Extensions extensions={board.extensions} api={api} onPlaced={setChosen} />
      <Trunks trunks={board.trunks} />
    </>
  )
  const detail = call !== null && board !== null && (
    <CallDetail key={call.id} call={call} board={board} heard={seen.facts.get(call.id) ?? []} api={api} onClose={close} />
  )
  return (
    <div className={detail === false ? 'page' : 'page with-detail'}>
      <a className="skip" href="#calls">
        {page.skip}
      </a>
      <Header company={board?.company ?? null} link={link} onLanguage={onLanguage} onSignOut={onSignOut} />
      {board === null ? (
        <main className="waiting muted" role="status">
          {link === 'reconnecting' ? page.unreachable : page.loading}
        </main>
      ) : (
        <div className={link === 'reconnecting' ? 'columns stale' : 'columns'}>
          {narrow ? (
            !detail && (
              <details className="lines">
                <summary>
                  {page.phones} · {page.trunks}
                </summary>
                {lines}
              </details>
            )
          ) : (
            <div className="lines">{lines}</div>
          )}
          <main id="calls" ref={main} tabIndex={-1} hidden={narrow && detail !== false}>
            {link === 'reconnecting' && (
              <p className="notice" role="status">
                {page.unreachable}
              </p>
            )}
            <CallLists board={board} api={api} chosen={chosen} onChoose={setChosen} />
            <footer className="keys">
              <label>
                <input type="checkbox" checked={keys === 'on'} onChange={(event) => setKeys(event.target.checked ? 'on' : 'off')} /> {page.keys}
              </label>
              <span className="muted">{page.keysHelp}</span>
            </footer>
          </main>
          {detail}
        </div>
      )}
      <Announcer board={board} newest={seen.newest} />
    </div>
  )
}

function titleOf({ board }: Seen): string {
  if (board === null) return 'Centrala'
  return board.calls.length === 0 ? `${board.company.name} · Centrala` : `(${board.calls.length}) ${board.company.name} · Centrala`
}
