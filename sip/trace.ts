import type { Clock } from '#base/clock.ts'
import { OldestFirst } from '#base/oldest-first.ts'
import type { Flow } from '#sip/agent.ts'
import { KeptBytes } from '#sip/kept-bytes.ts'
import { detached } from '#sip/message/text.ts'
import { masked } from '#sip/trace-mask.ts'

/** One message of a call, as it was on the wire. */
export interface TraceEntry {
  readonly direction: 'in' | 'out'
  /** Wall time, milliseconds since the Unix epoch. */
  readonly at: number
  readonly flow: Flow
  /** The message, with the values of Authorization and Proxy-Authorization masked. */
  readonly bytes: Uint8Array
}

/** Bounds of the trace; what exceeds one goes, oldest first. */
export interface TraceLimits {
  /** Messages of one call, default 64: the first half and the latest half are kept. */
  callMessages: number
  /** Bytes of all calls that are kept, default 16 MiB. */
  bytes: number
  /** Bytes of all that strangers began, default 1 MiB: who floods us takes no call of anybody else's. */
  strangersBytes: number
}

/**
 * The SIP messages of recent calls by Call-ID, bounded. Writing costs a copy and one small object: bytes are looked at when somebody
 * reads. What a stranger begins has little room, until somebody proves to know a password in it.
 */
export class SipTrace {
  readonly #clock: Clock
  readonly #limits: TraceLimits
  readonly #calls = new Map<string, TracedCall>()
  readonly #kept: Shelf
  readonly #strangers: Shelf

  constructor(clock: Clock, limits: Partial<TraceLimits> = {}) {
    this.#clock = clock
    this.#limits = { callMessages: 64, bytes: 16_777_216, strangersBytes: 1_048_576, ...limits }
    this.#kept = new Shelf(this.#limits.bytes)
    this.#strangers = new Shelf(this.#limits.strangersBytes)
  }

  /** Keeps a copy of one message; not of a response to what was not kept. */
  record(direction: 'in' | 'out', flow: Flow, bytes: Uint8Array, callId: string): void {
    let call = this.#calls.get(callId)
    if (call === undefined) {
      if (direction === 'out' && isResponse(bytes)) return
      call = this.#begin(detached(callId), direction === 'out' ? this.#kept : this.#strangers)
    }
    call.add({ direction, at: this.#clock.wall(), flow, bytes: call.memory.keep(bytes) }, this.#limits.callMessages)
    // Not the call that is written to: it may be about to be kept.
    if (call.shelf === this.#strangers && call.shelf.bytes > call.shelf.limit) call.shelf.calls.renew(call)
    this.#clear(call.shelf)
  }

  /** Who speaks in this call has proved who they are. */
  keep(callId: string): void {
    const call = this.#calls.get(callId)
    if (call === undefined || call.shelf === this.#kept) return
    call.shelf.remove(call)
    this.#kept.put(call)
    this.#clear(this.#kept)
  }

  /** The messages of a call in order, masked; none when the call is unknown or was dropped. */
  of(callId: string): TraceEntry[] {
    const entries = this.#calls.get(callId)?.entries ?? []
    return entries.map((entry) => ({ ...entry, bytes: masked(entry.bytes) }))
  }

  forget(callId: string): void {
    const call = this.#calls.get(callId)
    if (call === undefined) return
    call.shelf.remove(call)
    this.#calls.delete(callId)
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#kept.bytes + this.#strangers.bytes
  }

  get calls(): number {
    return this.#calls.size
  }

  #clear(shelf: Shelf): void {
    while (shelf.bytes > shelf.limit) {
      const oldest = shelf.calls.take()
      if (oldest === undefined) return
      shelf.bytes -= oldest.bytes
      this.#calls.delete(oldest.callId)
    }
  }

  #begin(callId: string, shelf: Shelf): TracedCall {
    const call = new TracedCall(callId, shelf)
    this.#calls.set(callId, call)
    shelf.put(call)
    return call
  }
}

/** Calls that share a bound. */
class Shelf {
  readonly limit: number
  readonly calls = new OldestFirst<TracedCall>()
  bytes = 0

  constructor(limit: number) {
    this.limit = limit
  }

  put(call: TracedCall): void {
    call.shelf = this
    this.calls.add(call)
    this.bytes += call.bytes
  }

  remove(call: TracedCall): void {
    this.calls.delete(call)
    this.bytes -= call.bytes
  }
}

/** Of a call's own memory: a few messages. */
const CALL_CHUNK = 4_096

/** What an entry takes besides its bytes, roughly. */
const ENTRY_BYTES = 120

class TracedCall {
  readonly callId: string
  readonly entries: TraceEntry[] = []
  shelf: Shelf
  /** Its own: some calls stay much longer than others, and would hold what is left of those. */
  readonly memory = new KeptBytes(CALL_CHUNK)
  bytes = 0

  constructor(callId: string, shelf: Shelf) {
    this.callId = callId
    this.shelf = shelf
  }

  add(entry: TraceEntry, limit: number): void {
    const before = this.bytes
    // How a call began explains most of what follows, so the middle goes.
    if (this.entries.length >= limit) for (const gone of this.entries.splice(Math.ceil(limit / 2), 1)) this.bytes -= size(gone)
    this.entries.push(entry)
    this.bytes += size(entry)
    this.shelf.bytes += this.bytes - before
  }
}

function size(entry: TraceEntry): number {
  return entry.bytes.length + ENTRY_BYTES
}

/** Of the two only a response begins with `SIP/`. */
function isResponse(bytes: Uint8Array): boolean {
  return bytes[0] === 0x53 && bytes[1] === 0x49 && bytes[2] === 0x50 && bytes[3] === 0x2f
}
