import type { Clock } from '#base/clock.ts'
import { OldestFirst } from '#base/oldest-first.ts'
import type { Flow } from '#sip/agent.ts'
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
  /** Bytes of all calls, default 16 MiB. */
  bytes: number
}

/**
 * The SIP messages of recent calls by Call-ID, bounded. Writing costs one small object: bytes are kept as they are and looked at when
 * somebody reads.
 */
export class SipTrace {
  readonly #clock: Clock
  readonly #limits: TraceLimits
  readonly #calls = new Map<string, TracedCall>()
  readonly #order = new OldestFirst<string>()
  #bytes = 0

  constructor(clock: Clock, limits: Partial<TraceLimits> = {}) {
    this.#clock = clock
    this.#limits = { callMessages: 64, bytes: 16_777_216, ...limits }
  }

  /** Keeps one message. The bytes must not change afterwards. */
  record(direction: 'in' | 'out', flow: Flow, bytes: Uint8Array, callId: string): void {
    let call = this.#calls.get(callId)
    if (call === undefined) call = this.#begin(detached(callId))
    this.#bytes += call.add({ direction, at: this.#clock.wall(), flow, bytes: compact(bytes) }, this.#limits.callMessages)
    while (this.#bytes > this.#limits.bytes && this.#dropOldest());
  }

  /** The messages of a call in order, masked; none when the call is unknown or was dropped. */
  of(callId: string): TraceEntry[] {
    const entries = this.#calls.get(callId)?.entries ?? []
    return entries.map((entry) => ({ ...entry, bytes: masked(entry.bytes) }))
  }

  forget(callId: string): void {
    const call = this.#calls.get(callId)
    if (call === undefined) return
    this.#bytes -= call.bytes
    this.#calls.delete(callId)
    this.#order.delete(callId)
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes
  }

  get calls(): number {
    return this.#calls.size
  }

  #dropOldest(): boolean {
    const oldest = this.#order.take()
    if (oldest !== undefined) this.forget(oldest)
    return oldest !== undefined
  }

  #begin(callId: string): TracedCall {
    const call = new TracedCall()
    this.#calls.set(callId, call)
    this.#order.add(callId)
    return call
  }
}

/** What an entry takes besides its bytes, roughly. */
const ENTRY_BYTES = 120

class TracedCall {
  readonly entries: TraceEntry[] = []
  bytes = 0

  /** Returns by how much the call grew. */
  add(entry: TraceEntry, limit: number): number {
    const before = this.bytes
    // How a call began explains most of what follows, so the middle goes.
    if (this.entries.length >= limit) for (const gone of this.entries.splice(Math.ceil(limit / 2), 1)) this.bytes -= size(gone)
    this.entries.push(entry)
    this.bytes += size(entry)
    return this.bytes - before
  }
}

function size(entry: TraceEntry): number {
  return entry.bytes.length + ENTRY_BYTES
}

/** A message cut from a stream's large read buffer would keep all of it alive. Node's shared pool is full of messages and may be kept. */
function compact(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.length + Buffer.poolSize ? new Uint8Array(bytes) : bytes
}
