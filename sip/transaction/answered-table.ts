import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { NOWHERE, PlaceChains } from '#sip/transaction/place-chains.ts'
import { copyHash, exactHash, ServerName } from '#sip/transaction/server-name.ts'

/** The final answer to a request other than INVITE, and what is known of who asked. */
export interface FinalAnswer {
  readonly bytes: Uint8Array
  readonly flow: Flow
  /** When nothing is repeated any more: Timer J. No sooner than that of the answer before. */
  readonly until: Millis
  /** Its sender has proved who they are. */
  readonly isProved: boolean
  /** How often the request has come again. */
  readonly repeats: number
}

const FIRST_ROOM = 64
/** Of those that share the lower digits of a hash: more come from nobody but who has found out how we reckon, and the oldest of them goes. */
const MOST_IN_CHAIN = 64
const NO_BYTES = Buffer.alloc(0)

/**
 * All that is left of the server transactions of requests other than INVITE that have their final answer (RFC 3261 §17.2.2, Completed), by place.
 * There are tens of thousands in the busiest seconds, and they live just long enough for objects of theirs to be moved to where V8 collects seldom
 * and dearly: so they are columns of numbers, in a ring, the oldest first, and their names and answers are bytes outside of its heap.
 */
export class AnsweredTable {
  readonly #memory: KeptBytes
  readonly #most: number
  #columns = new Columns(FIRST_ROOM)
  /** How many have ever been added, and taken from the ring's end. */
  #added = 0
  #taken = 0
  #size = 0
  #strangers = 0

  /** `most`: for so many there is room, or the oldest goes early. */
  constructor(memory: KeptBytes, most: number) {
    this.#memory = memory
    this.#most = most
  }

  get size(): number {
    return this.#size
  }

  /** How many were answered to strangers. */
  get strangers(): number {
    return this.#strangers
  }

  /** When the oldest ends; Infinity when there is none. */
  get endsAt(): Millis {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#columns.until[this.#oldest()] ?? 0)
  }

  /** Where the request is that `request` repeats. */
  find(request: SipRequest): number {
    if (this.#size === 0) return NOWHERE
    const hash = exactHash(request, request.method)
    const { exact } = this.#columns
    for (let place = exact.first(hash); place !== NOWHERE; place = exact.after(place))
      if (exact.hash[place] === hash && this.#name(place).isOf(request, request.method)) return place
    return NOWHERE
  }

  /** Whether a copy of the request, over another path, is here. */
  hasCopyOf(request: SipRequest): boolean {
    if (this.#size === 0) return false
    const hash = copyHash(request)
    const { copy } = this.#columns
    for (let place = copy.first(hash); place !== NOWHERE; place = copy.after(place))
      if (copy.hash[place] === hash && this.#name(place).isCopiedBy(request)) return true
    return false
  }

  add(name: ServerName, { bytes, flow, until, isProved, repeats }: FinalAnswer): void {
    this.#makeRoom()
    const columns = this.#columns
    const place = this.#added++ & columns.mask
    const { chunk, at, textLength } = this.#memory.place(bytes, name.text)
    columns.until[place] = until
    columns.isProved[place] = isProved ? 1 : 0
    columns.repeats[place] = repeats
    columns.chunks[place] = chunk
    columns.flows[place] = flow
    columns.at[place] = at
    columns.length[place] = bytes.length
    columns.nameLength[place] = textLength
    this.#size++
    if (!isProved) this.#strangers++
    this.#chain(columns.exact, place, name.exactHash)
    if (name.merge !== null) this.#chain(columns.copy, place, name.copyHash)
  }

  bytes(place: number): Uint8Array {
    const { chunks, at, length } = this.#columns
    const start = at[place] ?? 0
    return (chunks[place] ?? NO_BYTES).subarray(start, start + (length[place] ?? 0))
  }

  flow(place: number): Flow {
    return this.#columns.flows[place] as Flow
  }

  callId(place: number): string {
    return this.#name(place).callId
  }

  /** The request has come once more; gives how often it has. */
  repeated(place: number): number {
    const { repeats } = this.#columns
    return (repeats[place] = (repeats[place] ?? 0) + 1)
  }

  /** Before its time. */
  end(place: number): void {
    const columns = this.#columns
    if ((columns.flows[place] ?? null) === null) return
    this.#size--
    if (columns.isProved[place] === 0) this.#strangers--
    columns.exact.delete(place)
    columns.copy.delete(place)
    columns.flows[place] = null
    columns.chunks[place] = null
    if (this.#size === 0 && columns.mask >= FIRST_ROOM) this.clear()
  }

  endOldest(): void {
    if (this.#size > 0) this.end(this.#oldest())
  }

  clear(): void {
    this.#size = this.#strangers = this.#added = this.#taken = 0
    this.#columns = new Columns(FIRST_ROOM)
  }

  /** When there is one. */
  #oldest(): number {
    this.#passEnded()
    return this.#taken & this.#columns.mask
  }

  #passEnded(): void {
    const { mask, flows } = this.#columns
    while (this.#taken !== this.#added && flows[this.#taken & mask] === null) this.#taken++
  }

  #name(place: number): ServerName {
    const { chunks, at, length, nameLength } = this.#columns
    const start = (at[place] ?? 0) + (length[place] ?? 0)
    return ServerName.read((chunks[place] ?? NO_BYTES).toString('utf8', start, start + (nameLength[place] ?? 0)))
  }

  #chain(chains: PlaceChains, place: number, hash: number): void {
    chains.add(place, hash)
    const last = chains.nth(hash, MOST_IN_CHAIN)
    if (last !== NOWHERE) this.end(last)
  }

  /** For one more in the ring. */
  #makeRoom(): void {
    const { mask } = this.#columns
    this.#passEnded()
    if (this.#added - this.#taken <= mask) return
    if (mask + 1 >= this.#most) {
      this.endOldest()
      return this.#passEnded()
    }
    const columns = new Columns(2 * (mask + 1))
    for (let nth = this.#taken; nth !== this.#added; nth++) columns.take(nth & columns.mask, this.#columns, nth & mask)
    this.#columns = columns
  }
}

/** What is known of each, by place. */
class Columns {
  readonly mask: number
  readonly until: Float64Array
  readonly isProved: Uint8Array
  readonly repeats: Uint32Array
  /** Where the answer lies, and behind it the text of the name. Null: nothing is in this place. */
  readonly chunks: (Buffer | null)[]
  readonly at: Uint32Array
  readonly length: Uint32Array
  readonly nameLength: Uint32Array
  readonly flows: (Flow | null)[]
  readonly exact: PlaceChains
  readonly copy: PlaceChains

  /** `room`: places, a power of two. */
  constructor(room: number) {
    this.mask = room - 1
    this.until = new Float64Array(room)
    this.isProved = new Uint8Array(room)
    this.repeats = new Uint32Array(room)
    this.chunks = new Array<Buffer | null>(room).fill(null)
    this.at = new Uint32Array(room)
    this.length = new Uint32Array(room)
    this.nameLength = new Uint32Array(room)
    this.flows = new Array<Flow | null>(room).fill(null)
    this.exact = new PlaceChains(room)
    this.copy = new PlaceChains(room)
  }

  /** What is in `from` at `place`, and nothing else is, comes to be here at `to`. */
  take(to: number, from: Columns, place: number): void {
    for (const name of ['until', 'isProved', 'repeats', 'at', 'length', 'nameLength'] as const) this[name][to] = from[name][place] ?? 0
    this.chunks[to] = from.chunks[place] ?? null
    this.flows[to] = from.flows[place] ?? null
    for (const name of ['exact', 'copy'] as const) if (from[name].has(place)) this[name].add(to, from[name].hash[place] ?? 0)
  }
}
