import { type Cipheriv, createCipheriv } from 'node:crypto'
import type { SessionKeys } from '#media/srtp/key-derivation.ts'
import type { Place } from '#media/srtp/packet-cipher.ts'
import { LONGEST_PACKET } from '#media/srtp/scratch.ts'

const BLOCK = 16
const SEQUENCES = 65_536

/** As many blocks are encrypted at once as the longest packet has; of speech that is the key stream of several packets. */
const MOST_BLOCKS = Math.ceil(LONGEST_PACKET / BLOCK)

/** Made ahead for at most so many packets. */
const MOST_AHEAD = 16

const NOTHING = Buffer.alloc(0)

/**
 * The key stream of AES in counter mode (RFC 3711 §4.1.1), made for the packets that come next together with that of the packet at hand: what
 * counts is how often the cipher is asked, not for how much. One cipher object in ECB mode encrypts the counter blocks of them all.
 */
export class KeyStream {
  readonly #cipher: Cipheriv
  readonly #salt: Buffer
  /** Counter blocks, and the same as words. */
  readonly #blocks: Buffer
  readonly #words: Uint32Array
  /** What was made last: for packets from one index on, so many, so many blocks each. */
  #made: Buffer = NOTHING
  #ssrc = -1
  #first = 0
  #packets = 0
  #each = 0

  constructor(keys: SessionKeys) {
    const algorithm = keys.cipher.symmetricKeySize === 32 ? 'aes-256-ecb' : 'aes-128-ecb'
    this.#cipher = createCipheriv(algorithm, keys.cipher, null).setAutoPadding(false)
    this.#salt = keys.salt
    this.#blocks = Buffer.from(new ArrayBuffer(MOST_BLOCKS * BLOCK))
    this.#words = new Uint32Array(this.#blocks.buffer)
  }

  /** Encrypts or decrypts [from, to) of a packet: the same in counter mode. */
  apply(packet: Buffer, from: number, to: number, place: Place): void {
    const blocks = Math.ceil((to - from) / BLOCK)
    const index = place.high * SEQUENCES + place.low
    let nth = place.ssrc === this.#ssrc ? index - this.#first : -1
    if (nth < 0 || nth >= this.#packets || blocks > this.#each) {
      this.#make(blocks, place, index)
      nth = 0
    }
    const made = this.#made
    for (let i = from, k = nth * this.#each * BLOCK; i < to; i++, k++) packet[i] = (packet[i] as number) ^ (made[k] as number)
  }

  /** For a stream that goes on, also for the packets to come; for one that begins, or a packet from before, for it alone. */
  #make(blocks: number, place: Place, index: number): void {
    const beyond = place.ssrc === this.#ssrc ? index - this.#first - this.#packets : -1
    const goesOn = beyond >= 0 && beyond < MOST_AHEAD
    // The packets ahead share the upper bits of the index; the last ones before those change are made one by one.
    const most = Math.min(MOST_AHEAD, Math.floor(MOST_BLOCKS / blocks), SEQUENCES - place.low)
    this.#ssrc = place.ssrc
    this.#first = index
    this.#packets = goesOn ? most : 1
    this.#each = blocks
    for (let nth = 0; nth < this.#packets; nth++) this.#fill(nth * blocks, blocks, place, place.low + nth)
    this.#made = this.#cipher.update(this.#blocks.subarray(0, this.#packets * blocks * BLOCK))
  }

  /** IV = salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16 (RFC 3711 §4.1.1); the last two octets of each block are its number. */
  #fill(at: number, count: number, { ssrc, high }: Place, low: number): void {
    const blocks = this.#blocks
    const salt = this.#salt
    const words = this.#words
    const begin = at * BLOCK
    blocks.writeUInt32BE(salt.readUInt32BE(0), begin)
    blocks.writeUInt32BE((salt.readUInt32BE(4) ^ ssrc) >>> 0, begin + 4)
    blocks.writeUInt32BE((salt.readUInt32BE(8) ^ high) >>> 0, begin + 8)
    const [first, second] = [(salt[12] as number) ^ (low >> 8), (salt[13] as number) ^ (low & 0xff)]
    const [a, b, c] = [words[at * 4] as number, words[at * 4 + 1] as number, words[at * 4 + 2] as number]
    for (let n = 0; n < count; n++) {
      const word = (at + n) * 4
      const octet = (at + n) * BLOCK + 12
      words[word] = a
      words[word + 1] = b
      words[word + 2] = c
      blocks[octet] = first
      blocks[octet + 1] = second
      blocks[octet + 2] = n >> 8
      blocks[octet + 3] = n & 0xff
    }
  }
}
