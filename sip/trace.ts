import type { Clock } from '#base/clock.ts'
import { flatText } from '#base/flat-text.ts'
import { InLine, OldestFirst } from '#base/oldest-first.ts'
import type { Flow } from '#sip/agent.ts'
import { isSameFlow } from '#sip/dialog/dialog.ts'
import { masked } from '#sip/trace-mask.ts'
import { PAGE_BYTES, PagedQueue, Pages } from '#sip/trace-pages.ts'

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
  /** Bytes of all calls that are kept, default 16 MiB; each takes whole pages (trace-pages.ts). */
  bytes: number
  /** Bytes of all that strangers began, default 1 MiB: who floods us takes no call of anybody else's. */
  strangersBytes: number
}

/**
 * The SIP messages of recent calls by Call-ID, bounded. Writing costs a copy and no object that stays: bytes are looked at when somebody
 * reads. What a stranger begins has little room, until somebody proves to know a password in it.
 */
export class SipTrace {
  readonly #clock: Clock
  readonly #limits: TraceLimits
  readonly #pages = new Pages()
  readonly #calls = new Map<string, TracedCall>()
  /** Of calls that were dropped, to be used again: new ones would live just long enough to be moved to where V8 collects seldom and dearly. */
  readonly #spare: TracedCall[] = []
  readonly #kept: Shelf
  readonly #strangers: Shelf

  constructor(clock: Clock, limits: Partial<TraceLimits> = {}) {
    this.#clock = clock
    this.#limits = { callMessages: 64, bytes: 16_777_216, strangersBytes: 1_048_576, ...limits }
    this.#kept = new Shelf(this.#limits.bytes)
    this.#strangers = new Shelf(this.#limits.strangersBytes)
  }

  /** Keeps a copy of one message; not of a response to what was not kept. Gives the Call-ID: the text that is kept, if it is, which has memory of its own. */
  record(direction: 'in' | 'out', flow: Flow, bytes: Uint8Array, callId: string): string {
    let call = this.#calls.get(callId)
    if (call === undefined) {
      if (direction === 'out' && isResponse(bytes)) return callId
      call = this.#begin(flatText(callId), flow, direction === 'out' && !isProbe(bytes) ? this.#kept : this.#strangers)
    }
    call.add({ direction, at: this.#clock.wall(), flow, bytes }, this.#limits.callMessages)
    // Not the call that is written to: it may be about to be kept.
    if (call.shelf === this.#strangers && call.shelf.bytes > call.shelf.limit) call.shelf.calls.renew(call)
    const known = call.callId
    // It may be the very call that has to go.
    this.#clear(call.shelf)
    return known
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
    const entries = this.#calls.get(callId)?.entries() ?? []
    return entries.map((entry) => ({ ...entry, bytes: masked(entry.bytes) }))
  }

  forget(callId: string): void {
    const call = this.#calls.get(callId)
    if (call === undefined) return
    call.shelf.remove(call)
    this.#drop(call)
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#kept.bytes + this.#strangers.bytes
  }

  get calls(): number {
    return this.#calls.size
  }

  /** Bytes of memory for them, which is used again and never given back. */
  get room(): number {
    return this.#pages.bytes
  }

  #clear(shelf: Shelf): void {
    while (shelf.bytes > shelf.limit) {
      const oldest = shelf.calls.take()
      if (oldest === undefined) return
      shelf.bytes -= oldest.bytes
      this.#drop(oldest)
    }
  }

  #drop(call: TracedCall): void {
    this.#calls.delete(call.callId)
    call.end()
    this.#spare.push(call)
  }

  #begin(callId: string, flow: Flow, shelf: Shelf): TracedCall {
    const call = this.#spare.pop() ?? new TracedCall(shelf, { pages: this.#pages, flow })
    call.begin(callId, flow)
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

/** What a message takes besides its page in a call of several peers, roughly. */
const FLOW_BYTES = 120

class TracedCall extends InLine<TracedCall> {
  callId = ''
  shelf: Shelf
  readonly #pages: Pages
  /** How a call began explains most of what follows: when it grows long, its middle goes. */
  readonly #beginning: PagedQueue
  #latest: PagedQueue | null = null
  #flow: Flow
  /** Of each message; null while all are of the first one's. */
  #flows: Flow[] | null = null

  constructor(shelf: Shelf, { pages, flow }: { pages: Pages; flow: Flow }) {
    super()
    this.shelf = shelf
    this.#flow = flow
    this.#pages = pages
    this.#beginning = new PagedQueue(pages)
  }

  /** With this peer. */
  begin(callId: string, flow: Flow): void {
    this.callId = callId
    this.#flow = flow
  }

  get bytes(): number {
    return (this.#beginning.pages + (this.#latest?.pages ?? 0)) * PAGE_BYTES + (this.#flows?.length ?? 0) * FLOW_BYTES
  }

  get #length(): number {
    return this.#beginning.length + (this.#latest?.length ?? 0)
  }

  add(entry: TraceEntry, limit: number): void {
    const before = this.bytes
    const half = Math.ceil(limit / 2)
    const flow = this.#known(entry.flow)
    if (this.#flows === null && flow !== this.#flow) this.#flows = Array.from({ length: this.#length }, () => this.#flow)
    if (this.#length >= limit) {
      this.#latest?.shift()
      this.#flows?.splice(half, 1)
    }
    if (this.#length < half) this.#beginning.push(entry)
    else (this.#latest ??= new PagedQueue(this.#pages)).push(entry)
    this.#flows?.push(flow)
    this.shelf.bytes += this.bytes - before
  }

  /** The same one for the same peer: a flow may come as a new object with each message. */
  #known(flow: Flow): Flow {
    const last = this.#flows?.at(-1) ?? this.#flow
    return isSameFlow(flow, last) ? last : isSameFlow(flow, this.#flow) ? this.#flow : flow
  }

  entries(): TraceEntry[] {
    const messages = [...this.#beginning.messages(), ...(this.#latest?.messages() ?? [])]
    return messages.map((message, index) => ({ ...message, flow: this.#flows?.[index] ?? this.#flow }))
  }

  /** It may begin anew as another. */
  end(): void {
    this.#beginning.clear()
    this.#latest?.clear()
    this.#latest = null
    this.#flows = null
    this.callId = ''
  }
}

/** An OPTIONS: phones and trunks are asked all day whether they are there, which must not take the room of calls. */
function isProbe(bytes: Uint8Array): boolean {
  return bytes[0] === 0x4f && bytes[1] === 0x50 && bytes[2] === 0x54
}

/** Of the two only a response begins with `SIP/`. */
function isResponse(bytes: Uint8Array): boolean {
  return bytes[0] === 0x53 && bytes[1] === 0x49 && bytes[2] === 0x50 && bytes[3] === 0x2f
}
