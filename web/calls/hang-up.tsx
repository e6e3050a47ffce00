import { useState } from 'react'
import type { Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'

/** Ends a call. The row itself shows the end, when the stream tells of it. */
export function HangUp({ call, api }: { call: string; api: Api }) {
  const { words } = useReader()
  const [state, setState] = useState<'idle' | 'asking' | { problem: string }>('idle')
  const end = async (): Promise<void> => {
    setState('asking')
    const answer = await api.hangUp(call)
    if (answer.kind !== 'ok') setState({ problem: refusalWords(answer, words) })
  }
  return (
    <div className="action">
      <button type="button" className="hang-up" title={words.page.hangUp} disabled={state === 'asking'} onClick={() => void end()}>
        <Icon name="hangUp" /> <span className="label">{state === 'asking' ? words.page.hangingUp : words.page.hangUp}</span>
      </button>
      {typeof state === 'object' && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
    </div>
  )
}
