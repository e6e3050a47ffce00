import type { CallView } from '#contract/api/calls.ts'
import type { Fact } from '#contract/facts.ts'
import type { Board } from '#web/calls/reducer.ts'
import { nameOf } from '#web/calls/status.ts'
import { useReader } from '#web/look/reader.ts'
import { outcomeWords } from '#web/words/outcome-words.ts'
import { offset } from '#web/words/time.ts'
import { factSentence, type Telling } from '#web/words/words.ts'
import type { Reader } from '#web/look/reader.ts'

/** What happened in a call, a sentence for each fact. */
export function Timeline({ facts, call, board }: { facts: readonly Fact[]; call: CallView; board: Board }) {
  const reader = useReader()
  const say = telling(reader, call, board)
  return (
    <ol className="timeline">
      {facts.map((fact) => (
        <li key={fact.seq} className={`about-${fact.kind.split('.')[0]}`}>
          <time dateTime={new Date(fact.at).toISOString()} title={reader.times.exact(fact.at)}>
            {offset(fact.at - call.startedAt)}
          </time>
          <span>{factSentence(fact, reader.words, say)}</span>
        </li>
      ))}
    </ol>
  )
}

function telling({ words, times }: Reader, call: CallView, board: Board): Telling {
  return {
    leg: (id) => {
      const leg = call.legs.find((each) => each.leg === id)
      return leg === undefined ? id : nameOf(leg)
    },
    trunk: (id) => board.trunks.find((trunk) => trunk.id === id)?.name ?? id,
    device: (id) => board.extensions.find((extension) => extension.devices.some((phone) => phone.id === id))?.name ?? id,
    outcome: (outcome) => outcomeWords(outcome, words),
    party: (party) => words.party[party],
    duration: times.duration,
    instant: times.exact,
  }
}
