import type { Millis } from '#base/clock.ts'
import { InLine } from '#base/oldest-first.ts'
import type { Flow } from '#sip/agent.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import type { ServerRun } from '#sip/transaction/server.ts'
import type { ServerName } from '#sip/transaction/server-table.ts'

/** All that is left of the server transaction of a request other than INVITE that has its final answer (RFC 3261 §17.2.2, Completed). */
export class Answered extends InLine<Answered> {
  readonly name: ServerName
  /** Its sender has proved who they are. */
  readonly isProved: boolean
  readonly flow: Flow
  /** When nothing is repeated any more: Timer J. Whole milliseconds, which V8 keeps without an object of their own for the first 24 days. */
  readonly until: Millis
  /** How often the request has come again. */
  repeats: number
  readonly #chunk: Buffer
  readonly #at: number
  readonly #length: number

  constructor(server: ServerRun, answer: { bytes: Uint8Array; flow: Flow; until: Millis }, memory: KeptBytes) {
    super()
    this.name = server.name
    this.isProved = server.isProved
    this.repeats = server.repeats
    this.flow = answer.flow
    this.until = Math.ceil(answer.until)
    const { chunk, at } = memory.place(answer.bytes)
    this.#chunk = chunk
    this.#at = at
    this.#length = answer.bytes.length
  }

  get bytes(): Uint8Array {
    return this.#chunk.subarray(this.#at, this.#at + this.#length)
  }
}
