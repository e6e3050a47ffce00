import { useState } from 'react'
import type { Api } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'

/** Saves a call's packets as a file for Wireshark. */
export function CaptureDownload({ call, api }: { call: string; api: Api }) {
  const { words } = useReader()
  const [state, setState] = useState<'idle' | 'loading' | { problem: string }>('idle')
  const save = async (): Promise<void> => {
    setState('loading')
    const answer = await api.capture(call)
    if (answer.kind !== 'ok') return setState({ problem: refusalWords(answer, words) })
    const url = URL.createObjectURL(answer.value)
    const link = document.createElement('a')
    link.href = url
    link.download = `call-${call}.pcapng`
    link.click()
    URL.revokeObjectURL(url)
    setState('idle')
  }
  return (
    <div className="action">
      <button type="button" className="quiet" disabled={state === 'loading'} onClick={() => void save()}>
        <Icon name="download" /> {state === 'loading' ? words.page.loading : words.page.capture}
      </button>
      {typeof state === 'object' && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
    </div>
  )
}
