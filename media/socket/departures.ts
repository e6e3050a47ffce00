import type { SocketAddress } from '#media/engine.ts'
import { HEADER_BYTES, messageSlots, NAME_BYTES, VECTOR_BYTES } from '#media/socket/message-slots.ts'
import { errorName, errno, native } from '#media/socket/system-calls.ts'
import { writeSockaddr } from '#media/socket/sockaddr.ts'

/** Most that one call sends. */
const SLOTS = 16
/** Input/output error: for a failure that has no other name. */
const EIO = 5
/** Longest datagram that waits: longer than any that is not fragmented on its way. */
export const LONGEST_TOGETHER = 2048

/** Hears of a datagram that the system refused to send. */
export interface Sender {
  readonly fd: number
  /** `code`: the system's word, such as ENETUNREACH. Must send nothing before it returns: others are being sent. */
  refused(remote: SocketAddress, code: string): void
}

/**
 * Datagrams that leave together, at the end of the turn of the event loop in which they were given (sendmmsg(2)): one system call, and peers
 * on the same machine or a neighbour's are woken once. What waits is of one socket at a time.
 */
class Departures {
  readonly #slots = messageSlots(SLOTS, LONGEST_TOGETHER)
  /** Of each slot. */
  readonly #headers: readonly bigint[]
  readonly #names: readonly Buffer[]
  #sender: Sender | null = null
  readonly #remotes: SocketAddress[] = []
  #isDue = false
  #isHeld = false

  constructor() {
    const { block, base, at } = this.#slots
    this.#headers = Array.from({ length: SLOTS }, (_, slot) => base + BigInt(slot * HEADER_BYTES))
    this.#names = Array.from({ length: SLOTS }, (_, slot) =>
      block.subarray(at.names + slot * NAME_BYTES, at.names + (slot + 1) * NAME_BYTES),
    )
  }

  /** The bytes may be changed after the call returns. */
  add(sender: Sender, packet: Uint8Array, remote: SocketAddress): void {
    if (this.#sender !== sender || this.#remotes.length === SLOTS) this.flush()
    const slot = this.#remotes.length
    const name = this.#names[slot]
    const nameLength = name === undefined ? 0 : writeSockaddr(name, remote)
    if (nameLength === 0 || packet.length > LONGEST_TOGETHER) return sender.refused(remote, 'EINVAL')
    const { block, words, at } = this.#slots
    block.set(packet, at.data + slot * LONGEST_TOGETHER)
    words[(slot * HEADER_BYTES + 8) >> 2] = nameLength
    words[(at.vectors + slot * VECTOR_BYTES + 8) >> 2] = packet.length
    this.#sender = sender
    this.#remotes.push(remote)
    if (this.#isDue || this.#isHeld) return
    this.#isDue = true
    setImmediate(this.#due)
  }

  /** What is given while `work` runs leaves at its end, without a turn of its own. */
  during(work: () => void): void {
    this.#isHeld = true
    try {
      work()
    } finally {
      this.#isHeld = false
      this.flush()
    }
  }

  /** Sends what waits, now. */
  flush(): void {
    const sender = this.#sender
    const remotes = this.#remotes.splice(0)
    const count = remotes.length
    if (sender === null || count === 0) return
    let refused: { remote: SocketAddress; code: string }[] | null = null
    for (let next = 0; next < count; ) {
      const sent = this.#send(sender.fd, next, count - next)
      const remote = remotes[next]
      if (sent <= 0 && remote !== undefined) (refused ??= []).push({ remote, code: errorName(-(errno() || EIO)) })
      next += Math.max(1, sent)
    }
    for (const { remote, code } of refused ?? []) sender.refused(remote, code)
  }

  /** How many were sent; 0 or less: the first was refused. */
  #send(fd: number, from: number, count: number): number {
    const { sendmsg, sendmmsg } = native().calls
    const header = this.#headers[from] ?? 0n
    // A header for many begins with one for one. The call of three arguments is the cheaper one.
    if (count > 1) return sendmmsg(fd, header, count, 0)
    return sendmsg(fd, header, 0) < 0 ? -1 : 1
  }

  #due = (): void => {
    this.#isDue = false
    this.flush()
  }
}

let departures: Departures | null = null

/** Those of this process. Only where system calls can be made (`whyNotDirect`). */
export function theDepartures(): Departures {
  return (departures ??= new Departures())
}
