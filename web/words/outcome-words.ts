import type { CallView } from '#contract/api/calls.ts'
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
  const sentence = call.missed && outcome.kind === 'answered' ? words.page.unheard : words.why[outcome.kind]
  const causes = [outcome.sip === undefined ? [] : [`SIP ${outcome.sip}`], outcome.q850 === undefined ? [] : [`Q.850 ${outcome.q850}`]].flat()
  const hungUp = outcome.by === 'nobody' || outcome.kind !== 'answered' || call.missed ? [] : [`(${words.hungUp(words.party[outcome.by])})`]
  const detail = outcome.detail === undefined ? [] : [`— ${outcome.detail}`]
  return [sentence, ...hungUp, ...detail, ...(causes.length === 0 ? [] : [`[${causes.join(', ')}]`])].join(' ')
}
