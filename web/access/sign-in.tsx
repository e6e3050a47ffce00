import { type FormEvent, useState } from 'react'
import { keyIn } from '#web/access/key.ts'
import { useReader } from '#web/look/reader.ts'

/** Asks for a key when the address brought none, or a wrong one. */
export function SignIn({ wasRefused, onKey }: { wasRefused: boolean; onKey: (key: string) => void }) {
  const { page } = useReader().words
  const [text, setText] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const given = text.trim()
    if (given !== '') onKey(keyIn(given) ?? given)
  }
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" /> Centrala
        </h1>
        <p className="muted">{page.keyWhy}</p>
        <label>
          {page.keyLabel}
          <input type="password" autoComplete="current-password" required value={text} onChange={(event) => setText(event.target.value)} />
        </label>
        {wasRefused && (
          <p className="problem" role="alert">
            {page.keyRefused}
          </p>
        )}
        <button className="primary" type="submit">
          {page.keyEnter}
        </button>
      </form>
    </main>
  )
}
