import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { EndpointId, SocketAddress } from '#media/engine.ts'
import { type Command, type Event, type LivingEndpoint, type NumberedEvent, PROTOCOL_VERSION } from '#media/engine/protocol.ts'
import type { RemoteEndpoint } from '#media/engine/remote-endpoint.ts'
import { commandsFor, inherit, joinsFor } from '#media/engine/wanted.ts'
import { isIpv6 } from '#media/socket/address.ts'

export interface LinkNeeds {
  clock: Clock
  random: Random
  log: Log
}

/** A way to send commands to one engine. */
export interface EngineLine {
  send(command: Command): void
  end(): void
}

/** Calls an engine. `up` may come at once; after `gone` the line is dead. */
export type Dial = (events: { up(): void; message(event: Event): void; gone(why: string): void }) => EngineLine

const REDIAL_MS: Millis = 25

/**
 * The server's link to one engine. While it is up, commands go straight through; when it comes up again, the engine is told
 * what is wanted and does not know.
 *
 *     down --dialled--> greeting --welcome--> catching up --ready--> up --gone--> down
 */
export class EngineLink {
  readonly index: number
  capacity = 0
  readonly #needs: LinkNeeds
  readonly #dial: Dial
  readonly #onUp: () => void
  readonly #endpoints = new Map<EndpointId, RemoteEndpoint>()
  /** Free port pairs, by family. */
  readonly #stock: Record<'IPv4' | 'IPv6', SocketAddress[]> = { IPv4: [], IPv6: [] }
  #usualFamily: 'IPv4' | 'IPv6' = 'IPv4'
  #line: EngineLine | null = null
  #state: 'down' | 'greeting' | 'catching-up' | 'up' | 'closed' = 'down'
  #life: string | null = null
  #seen = 0
  #ackDue = false
  #living = new Map<EndpointId, LivingEndpoint>()
  /** Commands that are no state, given while the link was not up. */
  #later: Command[] = []
  /** Events of endpoints that nobody has adopted yet. */
  #strays: NumberedEvent[] = []
  /** Events of endpoints just adopted, to be told in a moment, in order. */
  readonly #missed = new Map<EndpointId, NumberedEvent[]>()
  #swept = false

  constructor(index: number, needs: LinkNeeds, dial: Dial, onUp: () => void) {
    this.index = index
    this.#needs = needs
    this.#dial = dial
    this.#onUp = onUp
    this.#call()
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  get used(): number {
    return this.#endpoints.size
  }

  get now(): Millis {
    return this.#needs.clock.now()
  }

  takePort(family?: 'IPv4' | 'IPv6'): SocketAddress | null {
    // The last to come: its sockets are the warmest, and every pair in stock has rested.
    return this.#stock[family ?? this.#usualFamily].pop() ?? null
  }

  /** A new endpoint, its port taken from here. */
  add(endpoint: RemoteEndpoint): void {
    this.#endpoints.set(endpoint.id, endpoint)
    this.send({ kind: 'open', id: endpoint.id, local: endpoint.local })
  }

  /** An endpoint that an earlier life of the server opened. Told after the link came up, it may have waited with events. */
  adopt(endpoint: RemoteEndpoint): void {
    this.#endpoints.set(endpoint.id, endpoint)
    this.#forgetPort(endpoint.local)
    const isLate = this.#state === 'up'
    const living = this.#living.get(endpoint.id)
    if (isLate && living !== undefined) inherit(endpoint.wanted, living, this.now)
    if (isLate) endpoint.settle()
    this.#missed.set(
      endpoint.id,
      this.#strays.filter(({ id }) => id === endpoint.id),
    )
    this.#strays = this.#strays.filter(({ id }) => id !== endpoint.id)
    // After the call that adopts: its caller does not expect events before it has the endpoint.
    this.#needs.clock.after(0, () => this.#catchUp(endpoint, isLate && living === undefined))
  }

  #catchUp(endpoint: RemoteEndpoint, isGone: boolean): void {
    const missed = this.#missed.get(endpoint.id) ?? []
    this.#missed.delete(endpoint.id)
    for (const { event } of missed) endpoint.take(event)
    if (isGone && this.#state === 'up') this.#restore([endpoint])
  }

  find(id: EndpointId): RemoteEndpoint | undefined {
    return this.#endpoints.get(id)
  }

  /** An endpoint of this id is here, or was in the engine when the link came up. */
  knows(id: EndpointId): boolean {
    return this.#endpoints.has(id) || this.#living.has(id)
  }

  /** The endpoint is closed and has told all it had to tell. */
  remove(endpoint: RemoteEndpoint): void {
    this.#endpoints.delete(endpoint.id)
  }

  sweep(): void {
    this.#swept = true
    this.#strays = []
    this.send({ kind: 'sweep', keep: [...this.#endpoints.keys()] })
  }

  /** Sends a command that sets state: while the link is not up it is left to what is wanted. */
  send(command: Command): void {
    if (this.#state !== 'up') return
    this.#acknowledge()
    this.#line?.send(command)
  }

  /** Sends a command that is no state, such as digits: it waits for the link. */
  sendOnce(command: Command): void {
    if (this.#state === 'up') this.#line?.send(command)
    else if (this.#later.length < MOST_LATER) this.#later.push(command)
  }

  close(): void {
    this.#state = 'closed'
    this.#line?.end()
    this.#line = null
  }

  #call(): void {
    if (this.#state === 'closed') return
    let over = false
    const line = this.#dial({
      up: () => {
        this.#state = 'greeting'
        line.send({ kind: 'attach', version: PROTOCOL_VERSION, life: this.#life, seen: this.#seen })
      },
      message: (event) => {
        if (over || this.#line !== line) return
        this.#take(event)
      },
      gone: (why) => {
        if (over) return
        over = true
        this.#lost(why)
      },
    })
    this.#line = line
  }

  #lost(why: string): void {
    if (this.#state === 'closed') return
    if (this.#state !== 'down') this.#needs.log.warn('a media engine is gone', { engine: this.index, why })
    this.#state = 'down'
    this.#line = null
    this.#needs.clock.after(REDIAL_MS, () => this.#call())
  }

  #take(event: Event): void {
    switch (event.kind) {
      case 'welcome':
        this.#welcome(event)
        return
      case 'ready':
        this.#ready()
        return
      case 'stock':
        for (const local of event.added) this.#stock[familyOf(local)].push(local)
        return
      case 'fenced':
        // For good: the calls are the other server's now, and two servers must not take them from each other in turns.
        this.#needs.log.error('another server has taken over this media engine', { engine: this.index })
        this.close()
        return
      case 'event':
        this.#numbered(event)
    }
  }

  #welcome({ life, capacity, stock, endpoints }: Extract<Event, { kind: 'welcome' }>): void {
    this.#state = 'catching-up'
    if (life !== this.#life) this.#seen = 0
    this.#life = life
    this.capacity = capacity
    this.#living = new Map(endpoints.map((each) => [each.id, each]))
    const used = new Set([...this.#endpoints.values()].map(({ local }) => `${local.address} ${local.port}`))
    this.#stock.IPv4 = []
    this.#stock.IPv6 = []
    if (stock[0] !== undefined) this.#usualFamily = familyOf(stock[0])
    for (const local of stock) if (!used.has(`${local.address} ${local.port}`)) this.#stock[familyOf(local)].push(local)
  }

  #ready(): void {
    this.#state = 'up'
    // An endpoint closed meanwhile is told apart below; what nobody knows belongs to a server that died before this one swept.
    const unknown = this.#swept ? [...this.#living.keys()].filter((id) => !this.#endpoints.has(id)) : []
    for (const id of unknown) this.send({ kind: 'close', id })
    this.#restore([...this.#endpoints.values()])
    for (const command of this.#later.splice(0)) this.send(command)
    this.#onUp()
  }

  /** Tells the engine what it does not know. */
  #restore(endpoints: readonly RemoteEndpoint[]): void {
    const now = this.now
    for (const endpoint of endpoints) {
      const living = this.#living.get(endpoint.id) ?? null
      if (endpoint.isAdopted && living !== null) inherit(endpoint.wanted, living, now)
      endpoint.settle()
      for (const command of endpoint.isClosed ? endpoint.lastCommands(living) : commandsFor(endpoint.wanted, living, now))
        this.send(command)
    }
    for (const endpoint of endpoints) {
      const living = this.#living.get(endpoint.id) ?? null
      if (endpoint.isClosed) continue
      for (const command of joinsFor(endpoint.wanted, living)) this.send(command)
      if (living === null && endpoint.wasUp) endpoint.revived()
      endpoint.wasUp = true
    }
  }

  #numbered(event: NumberedEvent): void {
    if (event.number <= this.#seen) return
    this.#seen = event.number
    const endpoint = this.#endpoints.get(event.id)
    const missed = this.#missed.get(event.id)
    if (missed !== undefined) missed.push(event)
    else if (endpoint !== undefined) endpoint.take(event.event)
    else if (!this.#swept && this.#strays.length < MOST_LATER) this.#strays.push(event)
    if (this.#ackDue || this.#strays.length > 0) return
    this.#ackDue = true
    this.#needs.clock.after(ACK_MS, () => this.#acknowledge())
  }

  #acknowledge(): void {
    if (!this.#ackDue) return
    this.#ackDue = false
    this.send({ kind: 'seen', number: this.#seen })
  }

  #forgetPort(local: SocketAddress): void {
    const family = familyOf(local)
    this.#stock[family] = this.#stock[family].filter((each) => each.port !== local.port || each.address !== local.address)
  }
}

/** The engine repeats what is not acknowledged to the server's next life; with other commands the acknowledgement goes at once. */
const ACK_MS: Millis = 100
const MOST_LATER = 20_000

function familyOf({ address }: SocketAddress): 'IPv4' | 'IPv6' {
  return isIpv6(address) ? 'IPv6' : 'IPv4'
}
