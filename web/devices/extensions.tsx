import { useState } from 'react'
import type { Api } from '#web/access/api.ts'
import type { Extension } from '#web/calls/reducer.ts'
import { CallForm } from '#web/devices/call-form.tsx'
import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'

interface ExtensionsProps {
  extensions: readonly Extension[]
  api: Api
  onPlaced: (call: string) => void
}

/** Who there is, and whether they are free; each can be made to call somebody. */
export function Extensions({ extensions, api, onPlaced }: ExtensionsProps) {
  const { page } = useReader().words
  const [from, setFrom] = useState<string | null>(null)
  return (
    <section aria-labelledby="extensions">
      <h2 id="extensions">{page.phones}</h2>
      {extensions.length === 0 && <p className="muted">{page.noPhones}</p>}
      <ul className="rows">
        {extensions.map((extension) => (
          <li key={extension.number}>
            <Row
              extension={extension}
              isOpen={from === extension.number}
              onToggle={() => setFrom(from === extension.number ? null : extension.number)}
            />
            {from === extension.number && (
              <CallForm
                label={page.callFrom(extension.number)}
                place={(to, once) => api.place({ extension: extension.number, to }, once)}
                onCancel={() => {
                  setFrom(null)
                  document.getElementById(`from-${extension.number}`)?.focus()
                }}
                onPlaced={(call) => {
                  setFrom(null)
                  onPlaced(call)
                }}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Row({ extension, isOpen, onToggle }: { extension: Extension; isOpen: boolean; onToggle: () => void }) {
  const { words } = useReader()
  const state = extension.busy ? 'busy' : extension.registered ? 'free' : 'offline'
  return (
    <div className="line">
      <span className="line-name">
        <strong>{extension.number}</strong> {extension.name}
        <span className={`state state-${state}`}>
          <Icon name={state === 'busy' ? 'talking' : state} /> {words.line[state]}
        </span>
      </span>
      <button
        type="button"
        id={`from-${extension.number}`}
        className="square"
        aria-expanded={isOpen}
        aria-label={words.page.callFrom(extension.number)}
        title={words.page.callFrom(extension.number)}
        onClick={onToggle}
      >
        <Icon name="call" />
      </button>
    </div>
  )
}
