import { native } from '#media/socket/system-calls.ts'

/**
 * Memory for several datagrams of one system call, laid out as sendmmsg(2) and recvmmsg(2) read it. Addresses of memory are handed to C under the
 * rules of `system-calls.ts`: every pointer leads into one block that is never freed or moved. Structures as there, and
 *
 *     mmsghdr                    msghdr 56, sent or received 4 (4 unused)
 */
export interface MessageSlots {
  readonly block: Buffer
  readonly words: Uint32Array
  /** Where the block lies. */
  readonly base: bigint
  /** In bytes from its beginning: the first of each, one behind the other; headers come first. */
  readonly at: { readonly vectors: number; readonly names: number; readonly data: number }
}

export const HEADER_BYTES = 64
export const VECTOR_BYTES = 16
export const NAME_BYTES = 32

/** For `count` datagrams of at most `roomBytes` each. Lengths of names are to be set before each call. */
export function messageSlots(count: number, roomBytes: number): MessageSlots {
  const vectors = count * HEADER_BYTES
  const names = vectors + count * VECTOR_BYTES
  const data = names + count * NAME_BYTES
  const block = Buffer.from(new ArrayBuffer(data + count * roomBytes))
  const base = native().ffi.getRawPointer(block)
  for (let slot = 0; slot < count; slot++) {
    const [header, vector] = [slot * HEADER_BYTES, vectors + slot * VECTOR_BYTES]
    block.writeBigUInt64LE(base + BigInt(names + slot * NAME_BYTES), header)
    block.writeBigUInt64LE(base + BigInt(vector), header + 16)
    block.writeBigUInt64LE(1n, header + 24)
    block.writeBigUInt64LE(base + BigInt(data + slot * roomBytes), vector)
    block.writeBigUInt64LE(BigInt(roomBytes), vector + 8)
  }
  return { block, words: new Uint32Array(block.buffer), base, at: { vectors, names, data } }
}
