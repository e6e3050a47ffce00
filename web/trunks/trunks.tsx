import { Icon } from '#web/look/icons.tsx'
import { useReader } from '#web/look/reader.ts'
import type { Trunk } from '#web/calls/reducer.ts'

/** The ways to the world outside, and whether they work. */
export function Trunks({ trunks }: { trunks: readonly Trunk[] }) {
  const { words } = useReader()
  const { page } = words
  return (
    <section aria-labelledby="trunks">
      <h2 id="trunks">{page.trunks}</h2>
      {trunks.length === 0 && <p className="muted">{page.noTrunks}</p>}
      <ul className="rows">
        {trunks.map((trunk) => {
          const state = stateOf(trunk)
          return (
            <li key={trunk.id} className="line">
              <span className="line-name">
                {trunk.name}
                <span className={`state trunk-${state}`}>
                  <Icon name={state === 'up' ? 'done' : state === 'down' ? 'warn' : 'offline'} /> {words.trunk[state]} ·{' '}
                  {page.channels(trunk.inUse)}
                </span>
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

function stateOf({ state }: Trunk): 'up' | 'down' | 'unknown' | 'disabled' {
  return state === 'up' || state === 'down' || state === 'disabled' ? state : 'unknown'
}
