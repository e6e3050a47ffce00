import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { EndpointRef, NewFact } from '#contract/facts.ts'
import type { Outcome } from '#contract/outcome.ts'
import type { Codec, MediaEngine, PlayItem, SpeakerTurn, Gap } from '#media/engine.ts'
import type { Encryption } from '#calls/encryption.ts'
import type { Credentials, Flow, SendTo, SipAgent } from '#sip/agent.ts'

/** What this room needs from outside; the server builds it once. */
export interface CallNeeds {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly sip: SipAgent
  readonly media: MediaEngine
  readonly journal: Journal
  readonly addresses: Addresses
  readonly directory: Directory
  readonly archive: Archive
  readonly announcer: Announcer
  /** Without it the keys of encrypted calls are written nowhere: such a call lives as long as its media engine. */
  readonly vault?: Vault
}

/** Seals what may not be written down in clear. */
export interface Vault {
  /** `place`: where the text belongs; it opens only there. */
  seal(text: string, place: string): string
  /** null: it was sealed under another key, for another place, or was changed. */
  unseal(sealed: string, place: string): string | null
}

/** What a company says to people it calls. */
export interface Announcer {
  /** Asks whoever picked up outside to press `key` to take the call: in the company's language. Empty: there is no voice to say it. */
  confirm(key: string, on: CallIdentity): readonly PlayItem[] | Promise<readonly PlayItem[]>
  /** Tells a phone of the company that its call ends in a minute, since the money of the day is spent. Empty: there is no voice to say it. */
  lastMinute(on: CallIdentity): readonly PlayItem[] | Promise<readonly PlayItem[]>
}

/** Where facts go. */
export interface Journal {
  append(fact: NewFact): void
  /** Calls back once everything appended so far is on disk; at once when the disk cannot take it (a call is never held up for long). */
  whenKept(then: () => void): void
  /** The latest value under a key survives the death of this process; null removes it. */
  keep(key: string, value: unknown): void
}

/** Which address of ours a peer can reach. */
export interface Addresses {
  /** The address to put into SDP for a peer whose signalling is at `remote`, given what the media socket is bound to. */
  media(remote: string, bound: string): string
  /** Networks that are reached without address translation, as CIDR. */
  readonly localNetworks: readonly string[]
}

/** One way to ring somebody: a device's contact, or a number through a trunk. */
export interface Destination {
  endpoint: EndpointRef
  /** Request-URI. */
  uri: string
  from: string
  to: string
  /** Where to send it. */
  via: Flow | SendTo
  route?: readonly string[]
  headers?: readonly (readonly [string, string])[]
  credentials?: Credentials
  /** Give up on a peer that says nothing at all after so long. */
  silenceMs?: number
  codecs?: readonly Codec[]
  /** Absent: the usual. */
  encryption?: Encryption
  /** Called when the attempt begins, where somebody counts channels or money; a string refuses the attempt, with that reason. */
  lease?: () => Lease | string
}

/** What an attempt holds; disposed once when its leg ends. */
export interface Lease extends Disposable {
  /** Charged from here. `end`: how to end the leg when what may be spent on it is spent. `warn`: says to the phone that talks there that a minute is left. */
  answered(end: (outcome: Outcome) => void, warn: () => void): void
  /** Nobody was asked there: the peer is dead or full. */
  passedOver(why: string): void
}

/** Who can be rung under a name, decided by the company's configuration and registrations. */
export interface Directory {
  /**
   * The alternatives for one target, as parallel branches; each branch is tried in order until one is not passed over (trunk
   * failover). An empty list: nobody is reachable there.
   */
  locate(target: RingTarget, on: CallIdentity, how?: RingManner): Located
  /** What somebody inside who dials `number` (a transferor) reaches; a refusal says why not. */
  resolve(number: string, on: CallIdentity): { plan: RingPlan } | { refused: Outcome }
  /** Who is reached under `number`, to which a phone or a carrier that was rung (`by`) sends the call on; a refusal says why it may not. */
  forward(number: string, by: EndpointRef, on: CallIdentity): { plan: RingPlan } | { refused: Outcome }
}

/** How whoever is rung is told about the call. */
export interface RingManner {
  /** Put before the caller's name on the phones: which door the caller came through. */
  namePrefix?: string
  /** The ring that phones are asked for, by name (Alert-Info). */
  ringTone?: string
  /** Who has sent it there, for phones (Referred-By, RFC 3892). */
  referredBy?: string
  /** Why the call goes on from whom it was meant for, where it goes out again. */
  diverted?: Diverted['reason']
}

/** A call from outside that goes out again. */
export interface Diverted {
  /** Our number that it was meant for, in E.164. */
  by: string
  reason: 'unconditional' | 'user-busy' | 'no-answer' | 'unavailable' | 'deflection'
}

export type Located = { branches: readonly (readonly Destination[])[] } | { refused: Outcome }

/** Whom the call belongs to, for decisions of the directory. */
export interface CallIdentity {
  readonly tenant: string
  readonly call: string
  /** Configuration version the call keeps. */
  readonly config: number
  readonly from: { number: string; name?: string }
  /** One of ours asks not to be shown outside. */
  readonly withheld?: boolean
  /** The number that one of ours asks to show outside, in E.164; whether it may is the directory's to know. */
  readonly preferred?: string
  /** The company's number that was called from outside, in E.164. */
  readonly called?: string
  /** The device or trunk that asked. */
  readonly asker: EndpointRef
  /** The caller asked for one phone among those of a device's name, by its GRUU (RFC 5627): its `+sip.instance`. */
  readonly only?: { readonly device: string; readonly instance: string }
  /** Hops that were left when the call came to us (Max-Forwards): we are one, or a call that goes round in a ring between exchanges never ends. */
  readonly hops?: number
  /** Parallel branches that it may still become, as its sender said (Max-Breadth, RFC 5393 §5); absent: nothing was said. */
  readonly breadth?: number
}

/** Something that can be rung. `label`: as people know it, for the journal. */
export type RingTarget =
  /** A phone, on all its contacts. `skipBusy`: not while it is on a call. */
  (
    | { kind: 'device'; id: string; skipBusy?: boolean }
    /** A number outside. `confirm`: the key that whoever picks up must press before being connected. `show`: whose number is shown there; default: by the rules of the asker and the trunk. */
    | { kind: 'external'; number: string; show?: Shown; emergency?: boolean; confirm?: string }
  ) & {
    label: string
    /** Stops ringing after so long, at the latest with its step. */
    ms?: number
  }

/** The company's own number, the caller's, or one of the company's in E.164. */
export type Shown = 'company' | 'caller' | { number: string }

/** Who rings when: steps one after the other, the targets of a step together. A step ends early when all its targets have failed. */
export interface RingPlan extends RingManner {
  steps: readonly RingStep[]
  /** Who is rung has asked for the call, and takes the caller's part in it. */
  as?: 'caller'
}
export interface RingStep {
  targets: readonly RingTarget[]
  ms: number
}

/** Takes recordings that are complete. */
export interface Archive {
  /** A file name for a new recording, in a folder that exists. */
  place(tenant: string, recording: string): string
  finished(recording: FinishedRecording): void
}
export interface FinishedRecording {
  tenant: string
  call: string
  recording: string
  /** Who is to be sent it, beside nobody. */
  mailTo: readonly string[]
  /** Days after which it is to be deleted; absent: it is kept. */
  keepDays?: number
  file: string
  ms: number
  bytes: number
  turns: readonly SpeakerTurn[]
  gaps: readonly Gap[]
}
