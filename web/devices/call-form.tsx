import { type FormEvent, useEffect, useRef, useState } from 'react'
import { type Answer, onceKey } from '#web/access/api.ts'
import { refusalWords } from '#web/access/refusal-words.ts'
import { useReader } from '#web/look/reader.ts'

interface CallFormProps {
  /** What the form does, for whoever cannot see where it stands. */
  label: string
  /** `once`: the same for the same wish. */
  place: (to: string, once: string) => Promise<Answer<{ id: string }>>
  onCancel: () => void
  onPlaced: (call: string) => void
}

/** Whom to call, from an extension or into a conference. What the server refuses is said here, and nothing typed is lost. */
export function CallForm({ label, place, onCancel, onPlaced }: CallFormProps) {
  const { words } = useReader()
  const { page } = words
  const [to, setTo] = useState('')
  const [state, setState] = useState<'typing' | 'asking' | { problem: string }>('typing')
  const input = useRef<HTMLInputElement>(null)
  // One wish, one call: kept when nothing came back, so that trying again cannot make a second call.
  const once = useRef<string>(null)
  useEffect(() => input.current?.focus(), [])

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    if (state === 'asking') return
    setState('asking')
    once.current ??= onceKey()
    const answer = await place(to.replace(/[\s()-]/g, ''), once.current)
    if (answer.kind !== 'away') once.current = null
    if (answer.kind === 'ok') onPlaced(answer.value.id)
    else setState({ problem: refusalWords(answer, words) })
  }
  return (
    <form
      className="call-form"
      aria-label={label}
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return
        event.stopPropagation()
        event.preventDefault()
        onCancel()
      }}
    >
      <label>
        {page.whom}
        <input
          ref={input}
          type="tel"
          autoComplete="off"
          required
          maxLength={32}
          value={to}
          onChange={(event) => {
            setTo(event.target.value)
            once.current = null
          }}
        />
      </label>
      {typeof state === 'object' && (
        <p className="problem" role="alert">
          {state.problem}
        </p>
      )}
      <div className="buttons">
        <button type="submit" className="primary" disabled={state === 'asking'}>
          {state === 'asking' ? page.calling : page.call}
        </button>
        <button type="button" onClick={onCancel}>
          {page.cancel}
        </button>
      </div>
    </form>
  )
}
