import type { CodecName, Secret } from '#contract/documents/fields.ts'
import type { TonePlan } from '#contract/documents/company.ts'
import type { FeatureCodes } from '#contract/documents/features.ts'
import type { CallDirection, PublicNumber, Recording } from '#contract/documents/numbers.ts'
import type { Emergency, NumberClass, OutboundRoute } from '#contract/documents/outbound.ts'
import type { Caps, Extension, Person } from '#contract/documents/people.ts'
import type { Target } from '#contract/documents/target.ts'
import type { NumberFormat } from '#contract/documents/trunk.ts'
import type { MonitorMode } from '#contract/facts.ts'
import type { FlowBook } from '#flows/book.ts'
import type { ExpectedPeer, TransportName } from '#sip/agent.ts'

/**
 * One version of a company's configuration, ready for calls: immutable, every default filled in, every question of a call one look-up.
 * Compiled only from documents that validated as a whole. Keys of maps are ids unless their name says otherwise.
 */
export interface CompiledConfig extends FlowBook {
  readonly settled: SettledCompany
  readonly people: ReadonlyMap<string, Person>
  readonly devices: ReadonlyMap<string, CompiledDevice>
  readonly devicesByUsername: ReadonlyMap<string, CompiledDevice>
  readonly devicesByPerson: ReadonlyMap<string, readonly CompiledDevice[]>
  /** By E.164 with plus. */
  readonly numbers: ReadonlyMap<string, PublicNumber>
  readonly numbersById: ReadonlyMap<string, PublicNumber>
  readonly trunks: ReadonlyMap<string, CompiledTrunk>
  /** Null: nobody may call out. */
  readonly outbound: CompiledOutbound | null
  readonly emergency: CompiledEmergency | null
  readonly recordings: readonly CompiledRecording[]
  readonly conferences: ReadonlyMap<string, CompiledConference>
  readonly monitoring: readonly CompiledMonitoring[]
}

export interface SettledCompany {
  readonly tones: TonePlan
  readonly maxCallMinutes: number
  /** E.164; null when the company has no number at all. */
  readonly callerId: string | null
  /** Null: calls are not signed. */
  readonly signing: CompiledSigning | null
  /** Prompt ids; empty: none. */
  readonly musicOnHold: readonly string[]
  readonly features: CompiledFeatures
  readonly hotDesk: CompiledHotDesk
  /** Domain of addresses of record and digest realm, lower case. */
  readonly sipDomain: string
  /** Lower case. */
  readonly sipDomains: ReadonlySet<string>
}

/** What phones dial to do something rather than to call somebody. */
export interface CompiledFeatures {
  readonly codes: Readonly<Required<FeatureCodes>>
  /** In the order in which they are taken. */
  readonly slots: ReadonlySet<string>
  readonly parkedMs: number
  /** Where a call goes that nobody fetched; null: nowhere. */
  readonly afterParking: Target | null
}

/** What becomes of shared phones. */
export interface CompiledHotDesk {
  readonly loggedOut: 'emergency' | 'internal' | 'all'
  /** Null: a login does not end by its age. */
  readonly hours: number | null
  /** Id of the hours with whose closing logins end; null: none. */
  readonly untilClosed: string | null
}

/** What a company signs its numbers with. */
export interface CompiledSigning {
  readonly url: string
  /** PEM. */
  readonly certificate: string
  readonly privateKey: Secret
}

export interface CompiledDevice {
  readonly id: string
  /** Its own name, else its person's, else its user name; of a shared phone: of whoever has logged in. */
  readonly name: string
  /** The same, whoever has logged in. */
  readonly ownName: string
  /** Null when nobody is logged in at a shared phone. */
  readonly person: Person | null
  readonly username: string
  /** Null before the first apply has made one. */
  readonly password: Secret | null
  readonly algorithms: readonly ('SHA-256' | 'MD5')[]
  readonly codecs: readonly CodecName[]
  readonly encryption: 'required' | 'offered' | 'off'
  /** A 3xx of the phone is followed. */
  readonly forwards: boolean
  readonly transports: readonly TransportName[]
  /** E.164 shown outside; null when the company has none. */
  readonly callerId: string | null
  /** E.164: numbers of the company that it may choose to show instead. */
  readonly mayShow: ReadonlySet<string>
  readonly withhold: boolean
  readonly maxContacts: number
  /** Its own, else those of every device. */
  readonly caps: Caps
  /** Extensions that lead to it, then to its person; colleagues see the first. */
  readonly extensions: readonly Extension[]
  /** Of its person and its extensions. */
  readonly pickupGroups: ReadonlySet<string>
  /** People log in at it. */
  readonly shared: boolean
  readonly location: string | null
  /** E.164 shown to the emergency service; null: that of the emergency document. */
  readonly emergencyCallerId: string | null
}

export interface CompiledTrunk {
  readonly id: string
  readonly name: string
  readonly host: string
  /** Null: as SRV records say, else the transport's own. */
  readonly port: number | null
  /** Null: as NAPTR and SRV records say, else UDP. */
  readonly transport: TransportName | null
  /** Over TLS. */
  readonly expects: ExpectedPeer
  readonly domain: string
  readonly register: boolean
  readonly registerSeconds: number
  readonly username: string | null
  /** For digest. */
  readonly authUser: string | null
  readonly password: Secret | null
  /** Null: whatever realm the trunk's own host names. */
  readonly realms: readonly string[] | null
  readonly outboundProxy: Pick<CompiledTrunk, 'host' | 'port' | 'transport'> | null
  /** IP addresses, networks and host names its calls come from. */
  readonly addresses: readonly string[]
  readonly contactUser: string | null
  /** `request-uri`, `to`, or a header's name in lower case. */
  readonly dialledNumberIn: string
  readonly numberFormat: { readonly in: NumberFormat; readonly out: NumberFormat; readonly caller: NumberFormat }
  readonly userPhone: boolean
  readonly callerId: {
    readonly rule: 'asserted' | 'from' | 'pai' | 'ppi' | 'rpid'
    /** In order; `from` alone where the trunk is not trusted. */
    readonly read: readonly ('pai' | 'ppi' | 'rpid' | 'from')[]
    readonly trusted: boolean
    readonly forwarded: 'own' | 'original'
    /** E.164 that may be shown here. */
    readonly allowed: ReadonlySet<string>
    /** Shown when the caller's own may not be; null when the company has no number. */
    readonly default: string | null
  }
  readonly diversion: 'none' | 'diversion' | 'history-info' | 'both'
  readonly identity: 'ignore' | 'mark' | 'refuse'
  readonly attestation: 'B' | 'C'
  readonly sign: boolean
  /** Null: unlimited. */
  readonly channels: number | null
  readonly codecs: readonly CodecName[]
  readonly encryption: 'required' | 'offered' | 'off'
  /** A 3xx of the carrier is followed. */
  readonly redirects: boolean
  /** 0: never. */
  readonly healthSeconds: number
  readonly healthAnswer: 'any' | '2xx'
  readonly enabled: boolean
}

export interface CompiledOutbound {
  readonly routes: readonly OutboundRoute[]
  readonly permissions: Readonly<Record<NumberClass, boolean>>
  /** Null: all. */
  readonly countries: ReadonlySet<string> | null
  readonly barredPrefixes: readonly string[]
  readonly currency: string
  readonly companyCaps: Caps
  readonly deviceCaps: Caps
  /** Money per started minute. */
  rate(number: string, numberClass: NumberClass): number
  readonly refusal: { readonly barred: readonly string[]; readonly capped: readonly string[]; readonly unreachable: readonly string[] }
  readonly alarmTo: readonly string[]
}

export interface CompiledEmergency {
  readonly document: Emergency
  readonly numbers: ReadonlySet<string>
  readonly trunks: readonly string[]
  /** E.164; null when the company has no number. */
  readonly callback: string | null
  readonly notify: readonly string[]
}

export interface CompiledConference {
  readonly id: string
  /** Its own, else its id. */
  readonly name: string
  /** The first extension that leads to it. */
  readonly number: string | null
  /** Null: nobody is asked. */
  readonly pin: Secret | null
  /** Null: nobody comes in as a moderator. */
  readonly moderatorPin: Secret | null
  readonly maxMembers: number
  readonly mutedOnEntry: boolean
  readonly tones: boolean
  readonly music: boolean
  readonly record: boolean
}

/** Who may listen to whom, by extension numbers. */
export interface CompiledMonitoring {
  readonly supervisors: ReadonlySet<string>
  /** Null: everybody. */
  readonly agents: ReadonlySet<string> | null
  readonly modes: ReadonlySet<MonitorMode>
  readonly tone: boolean
}

/** A policy with its scopes as sets; null: any. */
export interface CompiledRecording {
  readonly policy: Recording
  readonly directions: ReadonlySet<CallDirection> | null
  /** E.164: the numbers it names and those that name it. */
  readonly numbers: ReadonlySet<string> | null
  /** Extension numbers. */
  readonly extensions: ReadonlySet<string> | null
}

/** What recording policies are asked about. */
export interface RecordedCall {
  direction: CallDirection
  /** Public number in E.164 that the call came in on, or that it shows outside. */
  number?: string
  /** Extension numbers of those who talk. */
  extensions: readonly string[]
}
