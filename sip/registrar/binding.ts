import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'

/** One place where an address of record can be reached now, and until when (RFC 3261 §10). Immutable; a refresh makes a new one. */
export interface Binding {
  /** `user@domain` in lower case. */
  readonly aor: string
  /** The Contact URI as the device wrote it, without angle brackets. */
  readonly contact: string
  /** The same for URIs that RFC 3261 §19.1.4 calls equal; of a flow, its instance and reg-id. */
  readonly contactKey: string
  /** Preference, 0 to 1. */
  readonly q: number
  readonly callId: string
  readonly cseq: number
  /** `+sip.instance` (RFC 5626 §4.1), without quotes; null if the device has none. */
  readonly instance: string | null
  /** `reg-id` (RFC 5626 §4.2). */
  readonly regId: number | null
  /** One of the flows of its instance (RFC 5626 §6): only one of them is used at a time, and `contactKey` names the flow. Absent: no. */
  readonly outbound?: boolean
  /** Path (RFC 3327): the route to the device, first hop first. */
  readonly path: readonly string[]
  /** Where the REGISTER came from. Calls go back over it. */
  readonly flow: Flow
  readonly userAgent: string | null
  /** Monotonic instant at which the binding ends. */
  readonly expiresAt: Millis
  /** Wall time of the first registration of this contact. */
  readonly since: number
  /** False after `adopt` while the stream connection of an earlier process life is gone: the device must register anew. */
  readonly reachable: boolean
}

/** A binding as plain data that outlives the process: its life is told in wall time. */
export interface KeptBinding extends Omit<Binding, 'expiresAt' | 'reachable'> {
  /** Wall time, milliseconds since the Unix epoch. */
  readonly expiresWall: number
}

/** Why a contact stopped being bound. */
export type Unbound =
  | 'expired'
  /** By the device: Expires 0 or `Contact: *`. */
  | 'unregistered'
  /** The same device registered another contact, or a newer contact needed the room. */
  | 'displaced'
  | 'connection-lost'
  /** By the owner: the device was deleted or locked. */
  | 'revoked'

/** What the owner of a registrar is told. Called after the state changed. */
export interface RegistrarEvents {
  /** `refreshed` is false when the contact was not bound before. */
  onBound?(binding: Binding, refreshed: boolean): void
  onUnbound?(binding: Binding, why: Unbound): void
}

/** Whole seconds of life that `binding` has at `now`, rounded up, at least 0. */
export function remainingSeconds(binding: Binding, now: Millis): number {
  return Math.max(0, Math.ceil((binding.expiresAt - now) / 1000))
}
