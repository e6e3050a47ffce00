import { sequenceAhead } from '#media/rtp/sequence.ts'

/** Most packets that wait: 640 ms of 10 ms packets. A power of two. */
const SLOTS = 64

/** Octets that room for a payload has at least. */
const LEAST_ROOM = 256

/** What waits in one slot. Its octets belong to the ring again as soon as the slot is done with. */
export interface Slot {
  sequence: number
  timestamp: number
  /** How long its audio is, in RTP ticks. */
  ticks: number
  kind: 'empty' | 'audio' | 'noise' | 'event'
  octets: Uint8Array
  length: number
}

/** What became of a packet. */
export type Put = 'kept' | 'late' | 'duplicate' | 'leap'

/** Packets of one stream in the order of their sequence numbers, taken out from the oldest. Copies what it keeps. */
export class PacketRing {
  readonly #slots: Slot[] = []
  /** Room for payloads that nobody uses, the one used last on top: few are needed, and those stay near the processor. */
  readonly #spare: Uint8Array[] = []
  /** Sequence number that is taken next; -1 while the stream has not begun. */
  #next = -1
  /** One behind the newest kept. */
  #end = 0
  #count = 0
  /** Something was taken. */
  #isBegun = false

  /** Packets that wait. */
  get count(): number {
    return this.#count
  }

  /** The slot at the front, or null when its packet has not come. */
  get front(): Slot | null {
    return this.#at(this.#next)
  }

  /** The one behind the front. */
  get second(): Slot | null {
    return this.#at((this.#next + 1) & 0xffff)
  }

  /** The newest kept; null when none waits. */
  get newest(): Slot | null {
    return this.#count === 0 ? null : this.#at((this.#end - 1) & 0xffff)
  }

  /** The oldest that waits, wherever it stands. */
  get oldest(): Slot | null {
    if (this.#count === 0) return null
    let sequence = this.#next
    while (this.#at(sequence) === null) sequence = (sequence + 1) & 0xffff
    return this.#at(sequence)
  }

  /** Keeps a copy. `leap`: so far off that the stream must have begun anew; nothing was kept, and `clear` is due. */
  put(packet: { sequence: number; timestamp: number; ticks: number; kind: 'audio' | 'noise' | 'event' }, payload: Uint8Array): Put {
    const { sequence } = packet
    if (this.#next < 0) this.#next = this.#end = sequence
    const ahead = sequenceAhead(sequence, this.#next)
    if (ahead >= SLOTS || ahead <= -SLOTS) return 'leap'
    if (ahead < 0 && !this.#reopen(sequence)) return 'late'
    const slot = this.#slot(sequence)
    if (slot.kind !== 'empty') return 'duplicate'
    slot.octets = this.#room(payload.length)
    slot.octets.set(payload)
    slot.length = payload.length
    slot.sequence = sequence
    slot.timestamp = packet.timestamp
    slot.ticks = packet.ticks
    slot.kind = packet.kind
    this.#count++
    if (sequenceAhead(sequence, this.#end) >= 0) this.#end = (sequence + 1) & 0xffff
    return 'kept'
  }

  /** Nothing was taken yet: what comes before the first packet that came may still be put in front of it. */
  #reopen(sequence: number): boolean {
    if (this.#isBegun || sequenceAhead(this.#end, sequence) > SLOTS) return false
    this.#next = sequence
    return true
  }

  /** The front is done with, taken or given up. */
  pass(): void {
    this.#isBegun = true
    const slot = this.#slot(this.#next)
    if (slot.kind !== 'empty') {
      this.#free(slot)
      this.#count--
    }
    this.#next = (this.#next + 1) & 0xffff
    if (sequenceAhead(this.#next, this.#end) > 0) this.#end = this.#next
  }

  /** Forgets everything: the next packet begins a stream. */
  clear(): void {
    // Slots that were never used are holes, which this leaves out.
    this.#slots.forEach((slot) => {
      if (slot.kind !== 'empty') this.#free(slot)
    })
    this.#count = 0
    this.#next = -1
    this.#isBegun = false
  }

  #room(length: number): Uint8Array {
    if (length === 0) return NOTHING
    const spare = this.#spare.pop()
    return spare !== undefined && spare.length >= length ? spare : new Uint8Array(Math.max(LEAST_ROOM, length))
  }

  #free(slot: Slot): void {
    slot.kind = 'empty'
    if (slot.octets.length > 0) this.#spare.push(slot.octets)
    slot.octets = NOTHING
  }

  #at(sequence: number): Slot | null {
    if (this.#next < 0) return null
    const slot = this.#slot(sequence)
    return slot.kind !== 'empty' && slot.sequence === sequence ? slot : null
  }

  #slot(sequence: number): Slot {
    const place = sequence & (SLOTS - 1)
    return (this.#slots[place] ??= { sequence: -1, timestamp: 0, ticks: 0, kind: 'empty', octets: NOTHING, length: 0 })
  }
}

const NOTHING = new Uint8Array(0)
