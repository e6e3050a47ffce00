import { native, type Source } from '#media/socket/system-calls.ts'
import { SOCKADDR_BYTES } from '#media/socket/sockaddr.ts'

/** Most that one call takes. */
export const TAKEN_TOGETHER = 8
const HEADER_BYTES = 64
const VECTOR_BYTES = 16
const NAME_BYTES = 32
/** More than the longest datagram. */
const ROOM_BYTES = 65_536

const AT = {
  headers: 0,
  vectors: TAKEN_TOGETHER * HEADER_BYTES,
  names: TAKEN_TOGETHER * (HEADER_BYTES + VECTOR_BYTES),
  data: 4096,
} as const

/**
 * Datagrams that are taken together, as many as wait (recvmmsg(2)): one system call, where one for each and one that finds nothing took most of
 * the time of receiving. Addresses of memory are handed to C under the rules of `system-calls.ts`: every pointer leads into one block that is
 * never freed or moved, and all lengths are bounded here.
 *
 *     mmsghdr (recvmmsg(2))      msghdr 56, received 4 (4 unused)
 *
 * What was taken last stays until the next is taken: of one socket at a time.
 */
class Intake {
  readonly #block: Buffer
  readonly #words: Uint32Array
  readonly #headers: bigint

  constructor() {
    this.#block = Buffer.from(new ArrayBuffer(AT.data + TAKEN_TOGETHER * ROOM_BYTES))
    this.#words = new Uint32Array(this.#block.buffer)
    const base = native().ffi.getRawPointer(this.#block)
    this.#headers = base + BigInt(AT.headers)
    for (let slot = 0; slot < TAKEN_TOGETHER; slot++) {
      const header = AT.headers + slot * HEADER_BYTES
      const vector = AT.vectors + slot * VECTOR_BYTES
      this.#block.writeBigUInt64LE(base + BigInt(AT.names + slot * NAME_BYTES), header)
      this.#block.writeBigUInt64LE(base + BigInt(vector), header + 16)
      this.#block.writeBigUInt64LE(1n, header + 24)
      this.#block.writeBigUInt64LE(base + BigInt(AT.data + slot * ROOM_BYTES), vector)
      this.#block.writeBigUInt64LE(BigInt(ROOM_BYTES), vector + 8)
    }
  }

  /** How many there were, TAKEN_TOGETHER at most. Below 0: none. */
  take(fd: number): number {
    const words = this.#words
    for (let slot = 0; slot < TAKEN_TOGETHER; slot++) words[(AT.headers + slot * HEADER_BYTES + 8) >> 2] = SOCKADDR_BYTES
    return native().calls.recvmmsg(fd, this.#headers, TAKEN_TOGETHER, 0, 0n)
  }

  /** A copy of the one in that slot. */
  bytesOf(slot: number): Buffer {
    const length = Math.min(this.#words[(AT.headers + slot * HEADER_BYTES + 56) >> 2] ?? 0, ROOM_BYTES)
    const bytes = Buffer.allocUnsafe(length)
    const at = AT.data + slot * ROOM_BYTES
    this.#block.copy(bytes, 0, at, at + length)
    return bytes
  }

  /** Lets `source` take over where it came from. False: from no IP address. */
  sourceOf(slot: number, source: Source): boolean {
    return source.take(this.#words, (AT.names + slot * NAME_BYTES) >> 2)
  }
}

let intake: Intake | null = null

/** That of this process. Only where system calls can be made (`whyNotDirect`). */
export function theIntake(): Intake {
  return (intake ??= new Intake())
}
