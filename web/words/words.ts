import type { CauseName } from '#contract/causes.ts'
import type { Fact, FactKind } from '#contract/facts.ts'
import type { Outcome, OutcomeKind, Party } from '#contract/outcome.ts'
import type { FactOf } from '#web/calls/advance.ts'

/** What a sentence about a fact may have to say in words: names, times, outcomes, all in the reader's language. */
export interface Telling {
  /** Who is at the other end of a leg. */
  leg: (id: string) => string
  trunk: (id: string) => string
  device: (id: string) => string
  outcome: (outcome: Outcome) => string
  party: (party: Party) => string
  /** How long: `15 s`. */
  duration: (ms: number) => string
  /** When, with the date. */
  instant: (at: number) => string
}

/** A sentence for each kind of fact: the compiler refuses a language that lacks one. */
export type FactSentences = { readonly [K in FactKind]: (fact: FactOf<K>, say: Telling) => string }

/** Everything the page says in one language. */
export interface Words {
  /** BCP 47, and the language's own name. */
  readonly language: string
  readonly itself: string
  readonly page: PageWords
  /** What a call is doing. */
  readonly status: Readonly<
    Record<'connecting' | 'listening' | 'conference' | 'ringing' | 'talking' | 'held' | 'missed' | 'answered' | 'abandoned', string>
  >
  readonly direction: Readonly<Record<'inbound' | 'outbound' | 'internal', string>>
  /** How a call ended, in a word or two. */
  readonly outcome: Readonly<Record<OutcomeKind, string>>
  /** The same as a sentence that explains it. */
  readonly why: Readonly<Record<OutcomeKind, string>>
  /** Why networks say that a call came to nothing, as a sentence that needs no knowledge of them. */
  readonly cause: Readonly<Record<CauseName, string>>
  readonly party: Readonly<Record<Party, string>>
  /** Who hung up. */
  readonly hungUp: (party: string) => string
  readonly link: Readonly<Record<'connecting' | 'live' | 'reconnecting', string>>
  readonly line: Readonly<Record<'free' | 'busy' | 'offline', string>>
  readonly trunk: Readonly<Record<'up' | 'down' | 'unknown' | 'disabled', string>>
  readonly theme: Readonly<Record<'system' | 'light' | 'dark', string>>
  readonly facts: FactSentences
}

export interface PageWords {
  number: string
  copy: string
  copied: string
  themeLabel: string
  languageLabel: string
  phones: string
  noPhones: string
  trunks: string
  noTrunks: string
  channels: (count: number) => string
  conferences: string
  noMembers: string
  invite: string
  inviteTo: (conference: string) => string
  lock: string
  unlock: string
  isLocked: string
  mute: string
  muteWhom: (who: string) => string
  unmute: string
  unmuteWhom: (who: string) => string
  isMuted: string
  maySpeak: string
  moderator: string
  remove: string
  removeWhom: (who: string) => string
  unknownCaller: string
  live: string
  noLive: string
  hear: string
  ended: string
  noEnded: string
  filter: string
  noMatch: string
  clear: string
  to: string
  newCall: (from: string, to: string) => string
  hangUp: string
  hangingUp: string
  call: string
  callFrom: (extension: string) => string
  whom: string
  cancel: string
  calling: string
  answeredBy: (who: string) => string
  rang: (duration: string) => string
  talked: (duration: string) => string
  play: string
  recording: string
  recordingGone: (instant: string) => string
  loading: string
  close: string
  timeline: string
  ladder: string
  capture: string
  noLadder: string
  message: string
  us: string
  config: (version: number) => string
  started: string
  ringTime: string
  talkTime: string
  configLabel: string
  trunkLabel: string
  callId: string
  rehearsed: (instant: string) => string
  recovered: string
  unheard: string
  unreachable: string
  keyTitle: string
  keyWhy: string
  keyLabel: string
  keyEnter: string
  keyRefused: string
  signOut: string
  keys: string
  keysHelp: string
  skip: string
}

/** What happened, as one sentence. */
export function factSentence(fact: Fact, words: Words, say: Telling): string {
  // The compiler cannot see that the sentence found under a fact's kind is the one for such facts.
  const sentence = words.facts[fact.kind] as ((fact: Fact, say: Telling) => string) | undefined
  // A server younger than this page may tell of what it does not know yet.
  return sentence === undefined ? fact.kind : sentence(fact, say)
}
