import { memo } from 'react'
import type { CallView } from '#contract/api/calls.ts'
import type { OutcomeKind } from '#contract/outcome.ts'
import type { Api } from '#web/access/api.ts'
import { HangUp } from '#web/calls/hang-up.tsx'
import { RecordingPlayer } from '#web/calls/recording-player.tsx'
import type { Board } from '#web/calls/reducer.ts'
import { nameOf, type Status, statusOf, statusSince } from '#web/calls/status.ts'
import { Icon, type IconName } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'
import { useNow } from '#web/look/use-now.ts'
import { outcomeWords } from '#web/words/outcome-words.ts'
import { timer } from '#web/words/time.ts'

interface CallRowProps {
  call: CallView
  board: Board
  api: Api
  isChosen: boolean
  onChoose: () => void
}

/** One call in a list: who with whom, what it does or how it ended, and what can be done with it. */
export const CallRow = memo(function CallRow({ call, board, api, isChosen, onChoose }: CallRowProps) {
  const { words } = useReader()
  const status = statusOf(call, isInRoom(call, board))
  const isLive = call.endedAt === null
  return (
    <li className={isChosen ? 'chosen' : undefined}>
      <div className="call">
        <button type="button" id={`call-${call.id}`} className="open-call" aria-expanded={isChosen} onClick={onChoose}>
          <span className={`badge badge-${status.kind}`}>
            <Icon name={iconOf(call, status)} pulse={status.kind === 'ringing'} />
          </span>
          <span className="who">
            <span className="unseen">{words.direction[call.direction]}: </span>
            <strong>{call.from.name ?? call.from.number}</strong>
            <span className="unseen"> {words.page.to} </span>{' '}
            <span>
              <span className="arrow" aria-hidden="true">
                →
              </span>
              {calledName(call, board)}
            </span>
          </span>
          <span className="doing">
            <State call={call} status={status} />
          </span>
          {isLive ? <Timer since={statusSince(call)} /> : <When at={call.endedAt ?? call.startedAt} />}
        </button>
        {isLive && <HangUp call={call.id} api={api} />}
        {!isLive && call.recordings.map((recording) => <RecordingPlayer key={recording} recording={recording} api={api} />)}
      </div>
    </li>
  )
})

/** What a call does with nobody in particular. */
const nameless: ReadonlySet<Status['kind']> = new Set<Status['kind']>(['listening', 'connecting', 'conference'])

/** Ends of a conversation; with any other, somebody may have answered, but their own phone only, to hear that it cannot be. */
const talks: ReadonlySet<OutcomeKind> = new Set<OutcomeKind>(['answered', 'completed', 'transferred', 'too-long', 'media-lost'])

function State({ call, status }: { call: CallView; status: Status }) {
  const { words, times } = useReader()
  const names = status.who.map(nameOf).join(', ')
  const label = status.kind === 'other' ? outcomeWords(call.outcome, words) : words.status[status.kind]
  if (call.endedAt === null) {
    return (
      <>
        <span className={`state state-${status.kind}`}>{label}</span>
        {!nameless.has(status.kind) && names !== '' && <span>{names}</span>}
      </>
    )
  }
  const hasTalked = call.answeredAt !== null && talks.has(call.outcome.kind)
  return (
    <>
      <span className={`state state-${status.kind}`}>{label}</span>
      {status.kind === 'missed' && names !== '' && <span>{names}</span>}
      {hasTalked && call.answeredBy !== null && <span>{words.page.answeredBy(nameOf({ endpoint: call.answeredBy }))}</span>}
      {call.ringMs >= 1_000 && <span>{words.page.rang(times.duration(call.ringMs))}</span>}
      {hasTalked && <span>{words.page.talked(times.duration(call.talkMs))}</span>}
    </>
  )
}

function Timer({ since }: { since: number }) {
  const { times } = useReader()
  const now = useNow(1_000)
  return (
    <span className="time running" title={times.exact(since)}>
      {timer(now - since)}
    </span>
  )
}

function When({ at }: { at: number }) {
  const { times } = useReader()
  const now = useNow(15_000)
  return (
    <time className="time" dateTime={new Date(at).toISOString()} title={times.exact(at)}>
      <span>{times.clock(at)}</span>
      <span className="muted">{times.ago(at, Math.max(at, now))}</span>
    </time>
  )
}

function iconOf(call: CallView, { kind }: Status): IconName {
  switch (kind) {
    case 'talking':
    case 'held':
    case 'listening':
    case 'connecting':
    case 'missed':
      return kind
    case 'conference':
      return 'talking'
    default:
      return call.direction === 'internal' ? 'internal' : call.direction === 'inbound' ? 'incoming' : 'outgoing'
  }
}

function isInRoom({ id }: CallView, { conferences }: Board): boolean {
  return conferences.some(({ members }) => members.some(({ call }) => call === id))
}

/** The name beside a number of our own. */
function calledName(call: CallView, board: Board): string {
  const conference = board.conferences.find((each) => each.number === call.to.number)
  if (conference !== undefined) return `${conference.name} (${call.to.number})`
  const extension = board.extensions.find((each) => each.number === call.to.number)
  return extension === undefined ? call.to.number : `${extension.name} (${extension.number})`
}
