import type { Millis } from '#base/clock.ts'
import type { CaptureTerms } from '#media/capture/packet-capture.ts'
import type { Endpoint, EndpointEvents, EndpointId, KeptEndpoint, MediaEngine, MixTerms, RoomId } from '#media/engine.ts'
import { EngineLink, type LinkNeeds } from '#media/engine/link.ts'
import { Mixing } from '#media/engine/mixing.ts'
import { RemoteEndpoint } from '#media/engine/remote-endpoint.ts'
import { Tunnels } from '#media/engine/tunnels.ts'

/** What V8 keeps in place and not on its heap: 31 bits. */
const ID_LIMIT = 2 ** 31

/**
 * The server's side of its media engines: opens endpoints where there is most room, keeps what each is wanted to do, and
 * sets engines that died up again. Opened by the server's main; `close` lets go of the engines and leaves everything running.
 */
export class MediaClient implements MediaEngine {
  readonly #links: readonly EngineLink[]
  readonly #needs: LinkNeeds
  readonly #tunnels: Tunnels
  readonly #mixing = new Mixing()
  #lastPlay: number
  #lastId: number
  #ready: (() => void)[] = []

  /** `dials`: how to reach each engine, in the order of their indices, which must stay the same over restarts. */
  constructor(needs: LinkNeeds, dials: readonly ConstructorParameters<typeof EngineLink>[2][]) {
    this.#needs = needs
    this.#tunnels = new Tunnels()
    // Greater than any number of an earlier life of the server, so that an engine can tell new plays from old ones.
    this.#lastPlay = Math.floor(needs.clock.wall()) * 1000
    this.#lastId = needs.random.below(ID_LIMIT)
    this.#links = dials.map((dial, index) => new EngineLink(index, needs, dial, () => this.#tellReady()))
  }

  /** Resolves when every engine has answered, or after `ms` with those that have: how many. */
  whenReady(ms: Millis): Promise<number> {
    return new Promise((resolve) => {
      const limit = this.#needs.clock.after(ms, () => resolve(this.#upCount()))
      this.#ready.push(() => {
        limit[Symbol.dispose]()
        resolve(this.#upCount())
      })
      this.#tellReady()
    })
  }

  open(events: EndpointEvents, near?: Endpoint, family?: 'IPv4' | 'IPv6'): Endpoint | null {
    const preferred = near instanceof RemoteEndpoint ? near.link : null
    const there = preferred === null ? null : this.#openIn(preferred, events, family)
    if (there !== null) return there
    const others = this.#links.filter((link) => link !== preferred).sort((a, b) => Number(b.isUp) - Number(a.isUp) || a.used - b.used)
    for (const link of others) {
      const endpoint = this.#openIn(link, events, family)
      if (endpoint !== null) return endpoint
    }
    return null
  }

  adopt(kept: KeptEndpoint, events: EndpointEvents): Endpoint {
    const link = this.#links[kept.engine] ?? this.#links[0]
    if (link === undefined) throw new Error('there is no media engine')
    const endpoint = new RemoteEndpoint({
      id: kept.id,
      local: kept.local,
      link,
      events,
      client: this,
      stream: kept.stream,
      rollover: kept.rollover,
    })
    link.adopt(endpoint)
    return endpoint
  }

  /** Captures the packets of an endpoint, or ends that with null. An endpoint that is gone is ignored. */
  capture({ id, engine }: KeptEndpoint, terms: CaptureTerms | null): void {
    this.#links[engine]?.sendOnce(terms === null ? { kind: 'capture-stop', id } : { kind: 'capture', id, ...terms })
  }

  sweep(): void {
    for (const link of this.#links) link.sweep()
  }

  get load(): { endpoints: number; capacity: number } {
    return {
      endpoints: this.#links.reduce((sum, link) => sum + link.used, 0),
      capacity: this.#links.reduce((sum, link) => sum + link.capacity, 0),
    }
  }

  /** Lets go of the engines, which go on with what they were told last. */
  close(): void {
    for (const link of this.#links) link.close()
  }

  nextPlay(): number {
    return ++this.#lastPlay
  }

  /** Joins endpoints wherever they live: directly in one engine, else through a tunnel between two. */
  join(a: RemoteEndpoint, b: RemoteEndpoint): void {
    this.part(a)
    this.part(b)
    if (a.link === b.link) a.joinHere(b)
    else this.#tunnels.join(a, b, (link) => this.#openIn(link))
  }

  part(endpoint: RemoteEndpoint): void {
    if (!this.#mixing.leave(endpoint) && !this.#tunnels.part(endpoint)) endpoint.partHere()
  }

  /** Into a room, wherever that is. */
  mix(endpoint: RemoteEndpoint, room: RoomId, terms: MixTerms): void {
    // Who was taken over in that room stays there without a gap.
    if (!this.#mixing.isIn(endpoint, room) && endpoint.wanted.mixed?.room !== room) this.part(endpoint)
    this.#mixing.enter(endpoint, { room, terms }, (link) => this.#openIn(link))
  }

  #openIn(link: EngineLink, events: EndpointEvents = {}, family?: 'IPv4' | 'IPv6'): RemoteEndpoint | null {
    const local = link.takePort(family)
    if (local === null) return null
    const endpoint = new RemoteEndpoint({ id: this.#nextId(), local, link, events, client: this })
    link.add(endpoint)
    return endpoint
  }

  /** What an earlier life of the server opened in any engine keeps its own. */
  #nextId(): EndpointId {
    do this.#lastId = (this.#lastId + 1) % ID_LIMIT
    while (this.#links.some((link) => link.knows(this.#lastId)))
    return this.#lastId
  }

  #upCount(): number {
    return this.#links.filter((link) => link.isUp).length
  }

  #tellReady(): void {
    if (this.#upCount() < this.#links.length) return
    for (const tell of this.#ready.splice(0)) tell()
  }
}
