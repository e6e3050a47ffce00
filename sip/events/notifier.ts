import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { EventDialog, Identity, IncomingRequest, IncomingSubscribe, KeptDialog } from '#sip/agent.ts'
import type { EventPackage, Watch } from '#sip/events/event-package.ts'
import { ADOPTED_VERSION_MARGIN, type Ended, type KeptSubscription, Subscription } from '#sip/events/subscription.ts'
import type { EventPackage as EventHeader } from '#sip/message/fields.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** Bounds of a notifier. */
export interface NotifierLimits {
  /** Subscriptions of one watcher, default 300; past it the one that would end first gives way. */
  perWatcher: number
  /** Subscriptions of one group, default 20,000; past it new ones are refused. */
  perGroup: number
}

export interface NotifierNeeds {
  readonly clock: Clock
  readonly random: Random
  /** The latest value under an id survives the process; null removes it. */
  keep(id: string, kept: KeptSubscription | null): void
  /** Opens the dialog of a kept subscription again. */
  adoptEvents(kept: KeptDialog, onRequest: (incoming: IncomingRequest) => void): EventDialog
}

/** What a notifier has done since its start; monotonic. */
export interface NotifierCounts {
  accepted: number
  /** By status. */
  refused: Record<number, number>
  /** By why they ended. */
  ended: Partial<Record<Ended, number>>
}

/** Every subscription to what we know (RFC 6665 §4.2): accepts, refreshes and ends them, and notifies them of changes. */
export class Notifier {
  readonly counts: NotifierCounts = { accepted: 0, refused: {}, ended: {} }
  readonly #needs: NotifierNeeds
  readonly #packages: ReadonlyMap<string, EventPackage>
  readonly #limits: NotifierLimits
  readonly #all = new Map<string, Subscription>()
  readonly #byResource = new Map<string, Set<Subscription>>()
  readonly #byWatcher = new Map<string, Set<Subscription>>()
  readonly #byGroup = new Map<string, Set<Subscription>>()

  constructor(needs: NotifierNeeds, packages: readonly EventPackage[], limits: Partial<NotifierLimits> = {}) {
    this.#needs = needs
    this.#packages = new Map(packages.map((each) => [each.name, each]))
    this.#limits = { perWatcher: 300, perGroup: 20_000, ...limits }
  }

  /** Subscriptions that live. */
  get size(): number {
    return this.#all.size
  }

  /** Names of the packages served: the Allow-Events header. */
  get events(): string {
    return [...this.#packages.keys()].join(', ')
  }

  /** A SUBSCRIBE outside dialogs, authenticated. It is answered before this returns. */
  receive(incoming: IncomingSubscribe, who: Identity): void {
    const { request } = incoming
    const { event } = request.headers
    const kind = event === undefined ? undefined : this.#packages.get(event.name)
    if (event === undefined || kind === undefined) {
      this.#refuse(incoming, 489, undefined, [['Allow-Events', this.events]])
      return
    }
    const seconds = this.#granted(incoming, kind)
    if (seconds === null) return
    if (!accepts(request, kind)) {
      this.#refuse(incoming, 406, undefined, [['Accept', kind.types.join(', ')]])
      return
    }
    const watch = kind.admit(request, who)
    if ('status' in watch) this.#refuse(incoming, watch.status, watch.reason)
    else if ((this.#byGroup.get(watch.group)?.size ?? 0) >= this.#limits.perGroup) this.#refuse(incoming, 403, 'Too many subscriptions')
    else this.#accept(incoming, kind, { watch, event, seconds })
  }

  /** The state of a resource of one package may have changed. */
  changed(event: string, resource: string): void {
    for (const subscription of this.#byResource.get(resourceKey(event, resource)) ?? []) subscription.changed()
  }

  /** The rules of a group changed: what may not go on ends, the rest is told anew. */
  examine(group: string): void {
    for (const subscription of [...(this.#byGroup.get(group) ?? [])]) {
      const state = this.#packages.get(subscription.event)?.examine(subscription.watch) ?? 'noresource'
      if (state === 'active') subscription.changed()
      else subscription.end(state)
    }
  }

  /** Goes on where an earlier process life stopped, silently: call `retell` once messages can be sent. What has expired meanwhile is forgotten. */
  adopt(kept: readonly KeptSubscription[]): void {
    for (const each of kept) {
      const kind = this.#packages.get(each.event)
      const left = each.expiresWall - this.#needs.clock.wall()
      if (kind === undefined || left <= 0 || kind.examine(each.watch) !== 'active') this.#needs.keep(each.id, null)
      else this.#resume(each, kind, Math.min(left, kind.expires.most * 1000))
    }
  }

  /** Tells every subscription its whole state, one after the other over `ms`, so that thousands do not come at once. */
  retell(ms: Millis): void {
    let nth = 0
    for (const subscription of this.#all.values()) {
      this.#needs.clock.after(Math.floor((ms * nth++) / this.#all.size), () => subscription.retell())
    }
  }

  /** Stops every timer; nothing is told. */
  close(): void {
    for (const subscription of this.#all.values()) subscription.close()
    for (const index of [this.#all, this.#byResource, this.#byWatcher, this.#byGroup]) index.clear()
  }

  #accept(
    incoming: IncomingSubscribe,
    kind: EventPackage,
    { watch, event, seconds }: { watch: Watch; event: EventHeader; seconds: number },
  ): void {
    const dialog = incoming.open((request) => this.#again(subscription, kind, request))
    const parts = { id: this.#needs.random.hex(8), eventId: event.id ?? null, watch, dialog, version: 0 }
    const subscription = new Subscription(this.#needsOf(kind), parts)
    this.counts.accepted++
    incoming.respond(200, undefined, this.#promise(seconds))
    // One that asks for no time wants to know the state now, once (RFC 6665 §4.4.3).
    if (seconds > 0) this.#add(subscription)
    subscription.refresh(seconds)
  }

  /** A SUBSCRIBE within the dialog: a refresh, or the end. */
  #again(subscription: Subscription, kind: EventPackage, incoming: IncomingRequest): void {
    if (incoming.request.method !== 'SUBSCRIBE') {
      incoming.respond(200, undefined, [['Allow-Events', this.events]])
      return
    }
    if (subscription.isOver) {
      this.#refuse(incoming, 481)
      return
    }
    const { event } = incoming.request.headers
    if (event?.name !== kind.name) {
      this.#refuse(incoming, 489, undefined, [['Allow-Events', this.events]])
      return
    }
    const seconds = this.#granted(incoming, kind)
    if (seconds === null) return
    incoming.respond(200, undefined, this.#promise(seconds))
    subscription.refresh(seconds)
  }

  #resume(kept: KeptSubscription, kind: EventPackage, leftMs: number): void {
    const dialog = this.#needs.adoptEvents(kept.dialog, (request) => this.#again(subscription, kind, request))
    const { id, eventId, watch } = kept
    const version = kept.version + ADOPTED_VERSION_MARGIN
    const subscription = new Subscription(this.#needsOf(kind), { id, eventId, watch, dialog, version })
    this.#add(subscription)
    subscription.lives(leftMs)
    this.#needs.keep(id, subscription.keep())
  }

  /** Seconds of life to grant; null when the wish was refused. */
  #granted(incoming: IncomingRequest, kind: EventPackage): number | null {
    const { least, usual, most } = kind.expires
    const asked = incoming.request.headers.expires ?? usual
    if (asked === 0 || asked >= least) return Math.min(asked, most)
    this.#refuse(incoming, 423, undefined, [['Min-Expires', String(least)]])
    return null
  }

  #promise(seconds: number): readonly (readonly [string, string])[] {
    return [
      ['Expires', String(seconds)],
      ['Allow-Events', this.events],
    ]
  }

  #refuse(incoming: IncomingRequest, status: number, reason?: string, headers: readonly (readonly [string, string])[] = []): void {
    this.counts.refused[status] = (this.counts.refused[status] ?? 0) + 1
    incoming.respond(status, reason, headers)
  }

  #needsOf(kind: EventPackage): ConstructorParameters<typeof Subscription>[0] {
    return {
      clock: this.#needs.clock,
      package: kind,
      onChanged: (subscription) => {
        if (this.#all.has(subscription.id)) this.#needs.keep(subscription.id, subscription.keep())
      },
      onEnded: (subscription, why) => this.#remove(subscription, why),
    }
  }

  #add(subscription: Subscription): void {
    const { watch } = subscription
    const others = this.#byWatcher.get(watch.watcher)
    if (others !== undefined && others.size >= this.#limits.perWatcher) {
      // A phone that starts again forgets its subscriptions without a word: the one that would end first is most likely such a leftover.
      ;[...others].reduce((a, b) => (b.expiresAt < a.expiresAt ? b : a)).end('giveup')
    }
    this.#all.set(subscription.id, subscription)
    addTo(this.#byResource, resourceKey(subscription.event, watch.resource), subscription)
    addTo(this.#byWatcher, watch.watcher, subscription)
    addTo(this.#byGroup, watch.group, subscription)
  }

  #remove(subscription: Subscription, why: Ended): void {
    this.counts.ended[why] = (this.counts.ended[why] ?? 0) + 1
    if (!this.#all.delete(subscription.id)) return
    const { watch } = subscription
    removeFrom(this.#byResource, resourceKey(subscription.event, watch.resource), subscription)
    removeFrom(this.#byWatcher, watch.watcher, subscription)
    removeFrom(this.#byGroup, watch.group, subscription)
    this.#needs.keep(subscription.id, null)
  }
}

/** RFC 6665 §4.4.4: without Accept, any type of the package. */
function accepts({ headers }: SipRequest, kind: EventPackage): boolean {
  const ranges = headers.all('accept').map((range) => (range.split(';', 1)[0] ?? '').trim().toLowerCase())
  const fits = (type: string): boolean =>
    ranges.some((range) => range === type || range === '*/*' || range === `${type.slice(0, type.indexOf('/'))}/*`)
  return ranges.length === 0 || kind.types.some(fits)
}

function resourceKey(event: string, resource: string): string {
  return `${event} ${resource}`
}

function addTo<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const there = index.get(key)
  if (there === undefined) index.set(key, new Set([value]))
  else there.add(value)
}

function removeFrom<T>(index: Map<string, Set<T>>, key: string, value: T): void {
  const there = index.get(key)
  there?.delete(value)
  if (there?.size === 0) index.delete(key)
}
