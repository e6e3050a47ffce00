import { useEffect, useState } from 'react'
import type { Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'

/** Plays a recording; its audio is fetched when somebody asks for it, and let go with the player. */
export function RecordingPlayer({ recording, api }: { recording: string; api: Api }) {
  const { words, times } = useReader()
  const [state, setState] = useState<'idle' | 'loading' | { url: string } | { problem: string } | { goneAt: number }>('idle')
  const url = typeof state === 'object' && 'url' in state ? state.url : null
  useEffect(() => {
    if (url !== null) return () => URL.revokeObjectURL(url)
    return undefined
  }, [url])
  const load = async (): Promise<void> => {
    setState('loading')
    const answer = await api.recording(recording)
    if (answer.kind === 'ok') setState({ url: URL.createObjectURL(answer.value) })
    else if (answer.kind === 'gone') setState({ goneAt: answer.at })
    else setState({ problem: refusalWords(answer, words) })
  }
  if (url !== null) return <audio className="player" src={url} controls autoPlay aria-label={words.page.recording} />
  if (typeof state === 'object' && 'goneAt' in state)
    return (
      <p className="muted" role="status">
        {words.page.recordingGone(times.exact(state.goneAt))}
      </p>
    )
  return (
    <div className="action">
      <button type="button" title={words.page.play} disabled={state === 'loading'} onClick={() => void load()}>
        <Icon name="play" /> <span className="label">{state === 'loading' ? words.page.loading : words.page.play}</span>
      </button>
      {typeof state === 'object' && 'problem' in state && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
    </div>
  )
}
