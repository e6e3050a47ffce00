import { useEffect, useMemo, useRef, useState } from 'react'
import type { CallView } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { CaptureDownload } from '#web/calls/capture-download.tsx'
import { Ladder } from '#web/calls/ladder.tsx'
import type { Board } from '#web/calls/reducer.ts'
import { Timeline } from '#web/calls/timeline.tsx'
import { mergeFacts } from '#web/calls/merge-facts.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'
import { explanation } from '#web/words/outcome-words.ts'

interface CallDetailProps {
  call: CallView
  board: Board
  /** Facts of this call from the event stream. */
  heard: readonly Fact[]
  api: Api
  onClose: () => void
}

/** Everything about one call: how it went, fact by fact and message by message. */
export function CallDetail({ call, board, heard, api, onClose }: CallDetailProps) {
  const { words } = useReader()
  const { page } = words
  const [tab, setTab] = useState<'timeline' | 'ladder'>('timeline')
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  const { facts, problem } = useTimeline(call.id, heard, api)
  return (
    <aside className="detail" aria-labelledby="detail">
      <div className="detail-head">
        <h2 id="detail" ref={heading} tabIndex={-1}>
          {call.from.name ?? call.from.number} <span aria-hidden="true">→</span> <span className="unseen">{page.to}</span> {call.to.number}
        </h2>
        <button type="button" className="quiet square" aria-label={page.close} title={page.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <Summary call={call} board={board} />
      <div className="tabs" role="tablist">
        {(['timeline', 'ladder'] as const).map((each) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`tab-${each}`}
            aria-selected={tab === each}
            aria-controls="detail-panel"
            tabIndex={tab === each ? 0 : -1}
            onClick={() => setTab(each)}
            onKeyDown={(event) => {
              if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return
              const other = each === 'timeline' ? 'ladder' : 'timeline'
              setTab(other)
              document.getElementById(`tab-${other}`)?.focus()
            }}
          >
            {page[each]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="detail-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        {tab === 'ladder' && <CaptureDownload call={call.id} api={api} />}
        {tab === 'timeline' ? <Timeline facts={facts} call={call} board={board} /> : <Ladder call={call} facts={facts.length} api={api} />}
      </div>
    </aside>
  )
}

function Summary({ call, board }: { call: CallView; board: Board }) {
  const { words, times } = useReader()
  const { page } = words
  const trunk = board.trunks.find((each) => each.id === call.trunk)
  return (
    <>
      {call.endedAt !== null && (
        <p className={call.missed ? 'explanation state-missed' : 'explanation'}>
          {call.missed && <strong>{words.status.missed}. </strong>}
          {explanation(call, words)}
        </p>
      )}
      {call.rehearsedAt !== null && <p className="notice">{page.rehearsed(times.exact(call.rehearsedAt))}</p>}
      {call.recovered && <p className="notice">{page.recovered}</p>}
      <dl>
        <dt>{page.started}</dt>
        <dd>{times.exact(call.startedAt)}</dd>
        {call.ringMs > 0 && (
          <>
            <dt>{page.ringTime}</dt>
            <dd>{times.duration(call.ringMs)}</dd>
          </>
        )}
        {call.endedAt !== null && call.answeredAt !== null && (
          <>
            <dt>{page.talkTime}</dt>
            <dd>{times.duration(call.talkMs)}</dd>
          </>
        )}
        {call.trunk !== null && (
          <>
            <dt>{page.trunkLabel}</dt>
            <dd>{trunk?.name ?? call.trunk}</dd>
          </>
        )}
        <dt>{page.configLabel}</dt>
        <dd>{page.config(call.config)}</dd>
        <dt>{page.callId}</dt>
        <dd>
          <code>{call.id}</code>
        </dd>
      </dl>
    </>
  )
}

/** The whole timeline: what the server has, gone on with by what the stream tells. */
function useTimeline(call: string, heard: readonly Fact[], api: Api): { facts: readonly Fact[]; problem: string | null } {
  const { words } = useReader()
  const [asked, setAsked] = useState<readonly Fact[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    let isWanted = true
    void api.timeline(call).then((answer) => {
      if (!isWanted) return
      if (answer.kind === 'ok') setAsked(answer.value.facts)
      else setProblem(refusalWords(answer, words))
    })
    return () => void (isWanted = false)
  }, [call, api, words])
  return { facts: useMemo(() => mergeFacts(asked, heard), [asked, heard]), problem }
}
