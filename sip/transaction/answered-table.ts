import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { textOf } from '#sip/message/text.ts'
import { exactHash, ServerName } from '#sip/transaction/server-name.ts'

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

/** No place. */
export const NOWHERE = -1

const FIRST_ROOM = 64
/** Of one Call-ID: who asks more often within half a minute has had the first answers long since. */
const MOST_OF_CALL = 64
/** Of these, whose names may be the same at a glance: nobody's are who means well. */
const MOST_ALIKE = 8
const NO_BYTES = Buffer.alloc(0)
/** Of a request of which no copy is looked for: no CSeq number. */
const NO_MERGE = -1

/**
 * All that is left of the server transactions of requests other than INVITE that have their final answer (RFC 3261 §17.2.2, Completed), by place.
 * There are tens of thousands in the busiest seconds, and they live just long enough for objects of theirs to be moved to where V8 collects seldom
 * and dearly: so they are columns in a ring, the oldest first, and their names and answers are bytes outside of its heap. They are found by their
 * Call-ID, which the trace of each message looks up, too.
 */
export class AnsweredTable {
  readonly #memory: KeptBytes
  readonly #most: number
  #columns = new Columns(FIRST_ROOM)
  /** Of each Call-ID, the place that was taken last. */
  readonly #latest = new Map<string, number>()
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
    const { exact, before } = this.#columns
    let place = this.#latest.get(request.headers.callId) ?? NOWHERE
    if (place === NOWHERE) return NOWHERE
    const hash = exactHash(request)
    while (place !== NOWHERE && (exact[place] !== hash || !this.#name(place).isOf(request, request.method)))
      place = before[place] ?? NOWHERE
    return place
  }

  /** Whether a copy of the request, over another path, is here. */
  hasCopyOf(request: SipRequest): boolean {
    const { merge, before } = this.#columns
    let place = this.#latest.get(request.headers.callId) ?? NOWHERE
    while (place !== NOWHERE && (merge[place] !== request.headers.cseq.seq || !this.#name(place).isCopiedBy(request)))
      place = before[place] ?? NOWHERE
    return place !== NOWHERE
  }

  add(name: ServerName, { bytes, flow, until, isProved, repeats }: FinalAnswer): void {
    this.#makeRoom()
    const columns = this.#columns
    const place = this.#added++ & columns.mask
    const { chunk, at, textLength } = this.#memory.place(bytes, name.text)
    columns.until[place] = until
    columns.isProved[place] = isProved ? 1 : 0
    columns.repeats[place] = repeats
    columns.callIds[place] = name.callId
    columns.exact[place] = name.exactHash
    columns.merge[place] = name.merge ?? NO_MERGE
    columns.chunks[place] = chunk
    columns.flows[place] = flow
    columns.at[place] = at
    columns.length[place] = bytes.length
    columns.nameLength[place] = textLength
    this.#size++
    if (!isProved) this.#strangers++
    this.#chain(name.callId, place)
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
    return this.#columns.callIds[place] ?? ''
  }

  /** The request has come once more; gives how often it has. */
  repeated(place: number): number {
    const { repeats } = this.#columns
    return (repeats[place] = (repeats[place] ?? 0) + 1)
  }

  /** Before its time. */
  end(place: number): void {
    const columns = this.#columns
    const callId = columns.callIds[place] ?? null
    if (callId === null) return
    this.#size--
    if (columns.isProved[place] === 0) this.#strangers--
    this.#unchain(callId, place)
    columns.callIds[place] = null
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
    this.#latest.clear()
  }

  /** When there is one. */
  #oldest(): number {
    this.#passEnded()
    return this.#taken & this.#columns.mask
  }

  #passEnded(): void {
    const { mask, callIds } = this.#columns
    while (this.#taken !== this.#added && callIds[this.#taken & mask] === null) this.#taken++
  }

  #name(place: number): ServerName {
    const { callIds, chunks, at, length, nameLength } = this.#columns
    const start = (at[place] ?? 0) + (length[place] ?? 0)
    return ServerName.read(callIds[place] ?? '', textOf((chunks[place] ?? NO_BYTES).subarray(start, start + (nameLength[place] ?? 0))))
  }

  /** How many there are of one Call-ID, or alike, the peers decide: past what is looked through in no time the oldest of them goes. */
  #chain(callId: string, place: number): void {
    const { before, exact, merge } = this.#columns
    const last = this.#latest.get(callId) ?? NOWHERE
    before[place] = last
    this.#latest.set(callId, place)
    let others = 0
    let alike = 0
    for (let other = last; other !== NOWHERE; other = before[other] ?? NOWHERE) {
      others++
      if (exact[other] === exact[place] || (merge[other] === merge[place] && merge[place] !== NO_MERGE)) alike++
      if (others >= MOST_OF_CALL || alike >= MOST_ALIKE) return this.end(other)
    }
  }

  #unchain(callId: string, place: number): void {
    const { before } = this.#columns
    const older = before[place] ?? NOWHERE
    let younger = this.#latest.get(callId) ?? NOWHERE
    if (younger !== place) {
      while (before[younger] !== place) younger = before[younger] ?? NOWHERE
      before[younger] = older
    } else if (older === NOWHERE) this.#latest.delete(callId)
    else this.#latest.set(callId, older)
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
    const moved = (place: number): number => (this.#taken + ((place - this.#taken) & mask)) & columns.mask
    for (let nth = this.#taken; nth !== this.#added; nth++) columns.take(nth & columns.mask, this.#columns, nth & mask, moved)
    for (const [callId, place] of this.#latest) this.#latest.set(callId, moved(place))
    this.#columns = columns
  }
}

/** What is known of each, by place. */
class Columns {
  readonly mask: number
  readonly until: Float64Array
  readonly isProved: Uint8Array
  readonly repeats: Uint32Array
  /** Null: nothing is in this place. */
  readonly callIds: (string | null)[]
  /** Of its name: which of the others of its Call-ID it is, nearly always. */
  readonly exact: Int32Array
  readonly merge: Float64Array
  /** The place that was taken before it by another of its Call-ID. */
  readonly before: Int32Array
  /** Where the answer lies, and behind it the text of the name. */
  readonly chunks: (Buffer | null)[]
  readonly at: Uint32Array
  readonly length: Uint32Array
  readonly nameLength: Uint32Array
  readonly flows: (Flow | null)[]

  /** `room`: places, a power of two. */
  constructor(room: number) {
    this.mask = room - 1
    this.until = new Float64Array(room)
    this.isProved = new Uint8Array(room)
    this.repeats = new Uint32Array(room)
    this.callIds = Array.from<string | null>({ length: room }).fill(null)
    this.exact = new Int32Array(room)
    this.merge = new Float64Array(room)
    this.before = new Int32Array(room)
    this.chunks = Array.from<Buffer | null>({ length: room }).fill(null)
    this.at = new Uint32Array(room)
    this.length = new Uint32Array(room)
    this.nameLength = new Uint32Array(room)
    this.flows = Array.from<Flow | null>({ length: room }).fill(null)
  }

  /** What is in `from` at `place` comes to be here at `to`. `moved`: where the other places come to be. */
  take(to: number, from: Columns, place: number, moved: (place: number) => number): void {
    for (const name of NUMBERS) this[name][to] = from[name][place] ?? 0
    const before = from.before[place] ?? NOWHERE
    this.before[to] = before === NOWHERE ? NOWHERE : moved(before)
    this.callIds[to] = from.callIds[place] ?? null
    this.chunks[to] = from.chunks[place] ?? null
    this.flows[to] = from.flows[place] ?? null
  }
}

const NUMBERS = ['until', 'isProved', 'repeats', 'exact', 'merge', 'at', 'length', 'nameLength'] as const
