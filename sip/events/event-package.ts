import type { Millis } from '#base/clock.ts'
import type { Identity } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** An event package as a notifier serves it (RFC 6665 §5): what may be watched, by whom, and how its state is written down. */
export interface EventPackage {
  /** As in Event: `dialog`. */
  readonly name: string
  /** Body types that it can write, the preferred one first. */
  readonly types: readonly string[]
  /** Seconds of life: below `least` a wish is refused, `usual` is for who names none, longer ones are shortened to `most`. */
  readonly expires: { readonly least: number; readonly usual: number; readonly most: number }
  /** The least time between two NOTIFYs of one subscription that nobody asked for. */
  readonly pauseMs: Millis
  /** Whether `who` may watch what the request names. A refusal must not tell a resource of others from one that does not exist. */
  admit(request: SipRequest, who: Identity): Watch | WatchRefusal
  /** Whether a watch, after a change of the configuration, may go on. */
  examine(watch: Watch): 'active' | 'noresource' | 'rejected'
  /** A view of the watched resource for one subscription. */
  view(watch: Watch): EventView
}

/** Who watches what, as plain data that outlives the process. */
export interface Watch {
  /** Whose it is: watchers of one group share a cap (a company). */
  readonly group: string
  /** Who watches, unique over all groups (a phone). */
  readonly watcher: string
  /** What is watched. Views of the same resource and package change together. */
  readonly resource: string
  /** The URI that the subscriber used, without parameters: how documents name the resource to it. */
  readonly entity: string
}

export interface WatchRefusal {
  readonly status: number
  readonly reason?: string
}

/** The state of one resource as one subscriber sees it, document after document. */
export interface EventView {
  readonly type: string
  /** The whole state. `version` grows with each document of a subscription. */
  full(version: number): string
  /** What has changed since the last document; null when nothing has. */
  changes(version: number): string | null
}
