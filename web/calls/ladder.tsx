import { type CSSProperties, useEffect, useMemo, useState } from 'react'
import type { CallView, TracedMessage } from '#contract/api/calls.ts'
import type { Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { type Arrow, type Column, layOut } from '#web/calls/ladder-layout.ts'
import { useReader } from '#web/look/reader.ts'
import { offset } from '#web/words/time.ts'

/** Asked for again so long after a fact: its messages are in the trace by then, and a burst of facts asks once. */
const settleMs = 300

/** The SIP messages of a call, drawn between those who sent them. `facts`: how many there are; more of them mean more messages. */
export function Ladder({ call, facts, api }: { call: CallView; facts: number; api: Api }) {
  const { words } = useReader()
  const [messages, setMessages] = useState<readonly TracedMessage[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [chosen, setChosen] = useState<number | null>(null)
  const layout = useMemo(() => layOut(messages ?? [], call.legs), [messages, call.legs])
  const isFirst = messages === null
  useEffect(() => {
    let isWanted = true
    const timer = setTimeout(
      () =>
        void api.ladder(call.id).then((answer) => {
          if (!isWanted) return
          if (answer.kind === 'ok') setMessages(answer.value.messages)
          else setProblem(refusalWords(answer, words))
        }),
      isFirst ? 0 : settleMs,
    )
    return () => {
      isWanted = false
      clearTimeout(timer)
    }
  }, [call.id, facts, api, words])
  if (problem !== null) return <p className="problem">{problem}</p>
  if (messages === null) return <p className="muted">{words.page.loading}</p>
  if (messages.length === 0) return <p className="muted">{words.page.noLadder}</p>
  const text = chosen === null ? null : (messages[chosen]?.text ?? null)
  return (
    <div className="ladder">
      <div className="rungs" style={{ '--columns': layout.columns.length } as CSSProperties}>
        <div className="ladder-head">
          <span />
          <span className="lanes">
            {layout.columns.map((column) => (
              <Head key={column.leg} column={column} />
            ))}
          </span>
        </div>
        <ol>
          {layout.arrows.map((arrow, index) => (
            <Message
              key={`${arrow.message.at}-${index}`}
              arrow={arrow}
              columns={layout.columns}
              startedAt={messages[0]?.at ?? call.startedAt}
              isChosen={chosen === index}
              onChoose={() => setChosen(chosen === index ? null : index)}
            />
          ))}
        </ol>
      </div>
      {text === null ? <p className="muted">{words.page.message}</p> : <pre tabIndex={0}>{text.trimEnd()}</pre>}
    </div>
  )
}

function Head({ column }: { column: Column }) {
  const { page } = useReader().words
  return (
    <span className="peer" title={column.address}>
      <strong>{column.leg === '' ? page.us : column.name}</strong>
      <span className="muted">{column.address}</span>
    </span>
  )
}

interface MessageProps {
  arrow: Arrow
  columns: readonly Column[]
  startedAt: number
  isChosen: boolean
  onChoose: () => void
}

function Message({ arrow, columns, startedAt, isChosen, onChoose }: MessageProps) {
  const { words, times } = useReader()
  const { from, to, message } = arrow
  const [left, right] = [Math.min(from, to), Math.max(from, to)]
  const nameAt = (column: number): string => columns[column]?.name || words.page.us
  return (
    <li>
      <button
        type="button"
        className={`message message-${arrow.kind}`}
        aria-pressed={isChosen}
        aria-label={`${offset(message.at - startedAt)} ${nameAt(from)} → ${nameAt(to)}: ${message.summary}`}
        onClick={onChoose}
      >
        <span className="time" title={times.exact(message.at)}>
          {offset(message.at - startedAt)}
        </span>
        <span className="lanes">
          <span
            className={to > from ? 'shaft rightward' : 'shaft leftward'}
            style={{ gridColumn: `${left + 1} / ${right + 2}`, marginInline: `${50 / (right - left + 1)}%` }}
          >
            {arrow.label}
            {arrow.hasSdp && <small>SDP</small>}
          </span>
        </span>
      </button>
    </li>
  )
}
