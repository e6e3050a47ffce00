import type { CallView } from '#contract/api/calls.ts'
import { causeOfOutcome } from '#contract/causes.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Words } from '#web/words/words.ts'

/** How it ended, in a few words: `Answered, the caller hung up`, `Busy (486)`. */
export function outcomeWords(outcome: Outcome, words: Words): string {
  const label = words.outcome[outcome.kind]
  if (outcome.kind === 'answered' && outcome.by !== 'nobody') return `${label}, ${words.hungUp(words.party[outcome.by])}`
  return outcome.sip === undefined ? label : `${label} (${outcome.sip})`
}

/** Why a call ended as it did, as sentences, with what the protocols said. */
export function explanation(call: CallView, words: Words): string {
  const { outcome } = call
  if (outcome.kind === 'answered' && call.answeredAt === null) return words.page.unheard
  return [
    reasonWords(outcome, words),
    outcome.kind === 'answered' && outcome.by !== 'nobody' ? capitalised(words.hungUp(words.party[outcome.by])) : null,
    outcome.detail === undefined ? null : capitalised(outcome.detail),
    outcome.sip === undefined ? null : `SIP ${outcome.sip}`,
    outcome.q850 === undefined ? null : `Q.850 ${outcome.q850}`,
  ]
    .filter((part) => part !== null)
    .join(' · ')
}

/** What a network said beats what we make of it; what was our own doing needs no network. */
function reasonWords(outcome: Outcome, words: Words): string {
  const cause = outcome.by === 'us' || outcome.kind === 'answered' ? null : causeOfOutcome(outcome)
  return cause === null || cause.name === 'normal' ? words.why[outcome.kind] : words.cause[cause.name]
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
