import type { Millis } from '#base/clock.ts'
import type { Flow } from '#sip/agent.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { textBytes, writeText } from '#sip/message/text.ts'
import { AnsweredColumns, NOWHERE } from '#sip/transaction/answered-columns.ts'
import { mergeKey, serverKey } from '#sip/transaction/keys.ts'
import { exactHash, type ServerName } from '#sip/transaction/server-name.ts'

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

/** Of one Call-ID: who asks more often within half a minute has had the first answers long since. */
const MOST_OF_CALL = 64
const NO_BYTES = Buffer.alloc(0)
/** Of a request of which no copy is looked for: no CSeq number. */
const NO_MERGE = -1

/**
 * All that is left of the server transactions of requests other than INVITE that have their final answer (RFC 3261 §17.2.2, Completed), by place.
 * There are tens of thousands in the busiest seconds, and they live just long enough for objects of theirs to be moved to where V8 collects seldom
 * and dearly: so they are columns, and their names and answers are bytes outside of its heap. They are found by their Call-ID, which the trace of
 * each message looks up, too.
 */
export class AnsweredTable {
  readonly #memory: KeptBytes
  #columns = new AnsweredColumns()
  /** Of each Call-ID, the place that was taken last. */
  readonly #latest = new Map<string, number>()
  #strangers = 0
  /** The text of a request that is looked for. */
  #sought = NO_BYTES

  constructor(memory: KeptBytes) {
    this.#memory = memory
  }

  get size(): number {
    return this.#columns.size
  }

  /** How many were answered to strangers. */
  get strangers(): number {
    return this.#strangers
  }

  /** The place of what was answered first; NOWHERE when nothing is here. */
  get oldest(): number {
    return this.#columns.oldest
  }

  /** When the oldest ends; Infinity when nothing is here. */
  get endsAt(): Millis {
    return this.#columns.until[this.oldest] ?? Number.POSITIVE_INFINITY
  }

  /** Where the request is that `request` repeats. */
  find(request: SipRequest): number {
    let place = this.#latest.get(request.headers.callId) ?? NOWHERE
    if (place === NOWHERE) return NOWHERE
    const { exact, keyLength, before } = this.#columns
    const hash = exactHash(request)
    let length = 0
    for (; place !== NOWHERE; place = before[place] ?? NOWHERE) {
      if (exact[place] !== hash) continue
      if (length === 0) length = this.#seek(serverKey(request))
      if (keyLength[place] === length && this.#isSought(place, 0, length)) return place
    }
    return NOWHERE
  }

  /** Whether a copy of the request, over another path, is here. */
  hasCopyOf(request: SipRequest): boolean {
    let place = this.#latest.get(request.headers.callId) ?? NOWHERE
    if (place === NOWHERE) return false
    const { merge, keyLength, mergeLength, before } = this.#columns
    const { seq } = request.headers.cseq
    let length = 0
    for (; place !== NOWHERE; place = before[place] ?? NOWHERE) {
      if (merge[place] !== seq) continue
      if (length === 0) length = this.#seek(mergeKey(request))
      if (mergeLength[place] === length && this.#isSought(place, keyLength[place] ?? 0, length)) return true
    }
    return false
  }

  add(name: ServerName, { bytes, flow, until, isProved, repeats }: FinalAnswer): void {
    const columns = this.#columns
    const place = columns.take(name.callId, flow)
    const { key } = name
    const merge = name.mergeKey ?? ''
    const keyLength = textBytes(key)
    const mergeLength = textBytes(merge)
    const { chunk, at } = this.#memory.room(bytes.length + keyLength + mergeLength)
    chunk.set(bytes, at)
    writeText(chunk, key, at + bytes.length)
    writeText(chunk, merge, at + bytes.length + keyLength)
    columns.until[place] = until
    columns.isProved[place] = isProved ? 1 : 0
    columns.repeats[place] = repeats
    columns.exact[place] = name.exactHash
    columns.merge[place] = name.merge ?? NO_MERGE
    columns.chunks[place] = chunk
    columns.at[place] = at
    columns.length[place] = bytes.length
    columns.keyLength[place] = keyLength
    columns.mergeLength[place] = mergeLength
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

  /** Nothing happens when nothing is there. */
  end(place: number): void {
    const columns = this.#columns
    const callId = columns.callIds[place] ?? null
    if (callId === null) return
    if (columns.isProved[place] === 0) this.#strangers--
    this.#unchain(callId, place)
    columns.giveBack(place)
    if (columns.size === 0 && columns.isLarge) this.clear()
  }

  clear(): void {
    this.#strangers = 0
    this.#columns = new AnsweredColumns()
    this.#latest.clear()
  }

  /** How many there are of one Call-ID the peers decide: past what is looked through in no time the oldest of them goes. */
  #chain(callId: string, place: number): void {
    const { before } = this.#columns
    const last = this.#latest.get(callId) ?? NOWHERE
    before[place] = last
    this.#latest.set(callId, place)
    let others = 0
    for (let other = last; other !== NOWHERE; other = before[other] ?? NOWHERE) if (++others >= MOST_OF_CALL) return this.end(other)
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

  /** Gives how many bytes it takes. */
  #seek(text: string): number {
    const length = textBytes(text)
    if (length > this.#sought.length) this.#sought = Buffer.allocUnsafeSlow(Math.max(length, 1_024))
    writeText(this.#sought, text, 0)
    return length
  }

  /** Whether just this stands `from` bytes behind the answer. */
  #isSought(place: number, from: number, length: number): boolean {
    const { chunks, at, length: answer } = this.#columns
    const start = (at[place] ?? 0) + (answer[place] ?? 0) + from
    return (chunks[place] ?? NO_BYTES).compare(this.#sought, 0, length, start, start + length) === 0
  }
}
