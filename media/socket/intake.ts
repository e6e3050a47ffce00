import { HEADER_BYTES, messageSlots, NAME_BYTES } from '#media/socket/message-slots.ts'
import { SOCKADDR_BYTES } from '#media/socket/sockaddr.ts'
import { native, type Source } from '#media/socket/system-calls.ts'

/** Most that one call takes. */
export const TAKEN_TOGETHER = 8
/** More than the longest datagram. */
const ROOM_BYTES = 65_536

/**
 * Datagrams that are taken together, as many as wait (recvmmsg(2)): one system call, where one for each and one that finds nothing took most of
 * the time of receiving. What was taken last stays until the next is taken: of one socket at a time.
 */
class Intake {
  readonly #slots = messageSlots(TAKEN_TOGETHER, ROOM_BYTES)

  /** How many there were, TAKEN_TOGETHER at most. Below 0: none. */
  take(fd: number): number {
    const { words, base } = this.#slots
    for (let slot = 0; slot < TAKEN_TOGETHER; slot++) words[(slot * HEADER_BYTES + 8) >> 2] = SOCKADDR_BYTES
    return native().calls.recvmmsg(fd, base, TAKEN_TOGETHER, 0, 0n)
  }

  /** A copy of the one in that slot. */
  bytesOf(slot: number): Buffer {
    const { block, words, at: places } = this.#slots
    const length = Math.min(words[(slot * HEADER_BYTES + 56) >> 2] ?? 0, ROOM_BYTES)
    const bytes = Buffer.allocUnsafe(length)
    const at = places.data + slot * ROOM_BYTES
    block.copy(bytes, 0, at, at + length)
    return bytes
  }

  /** Lets `source` take over where it came from. False: from no IP address. */
  sourceOf(slot: number, source: Source): boolean {
    const { words, at } = this.#slots
    return source.take(words, (at.names + slot * NAME_BYTES) >> 2)
  }
}

let intake: Intake | null = null

/** That of this process. Only where system calls can be made (`whyNotDirect`). */
export function theIntake(): Intake {
  return (intake ??= new Intake())
}
