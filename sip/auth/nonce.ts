import type { KeyObject } from 'node:crypto'
import type { Clock, Millis } from '#base/clock.ts'
import { NonceUses } from '#sip/auth/nonce-uses.ts'
import { isSameText } from '#sip/auth/same-text.ts'
import { ShortMac } from '#sip/auth/short-mac.ts'

export interface NonceOptions {
  clock: Clock
  /** At least 128 bits, drawn anew for each process life: nonces of an earlier life then count as stale. */
  key: KeyObject
  /** A nonce is taken so long after it was given out. */
  lifeMs?: Millis
  /** Nonces whose use is remembered at most; beyond it the oldest become stale. */
  capacity?: number
}

/** Result of using a nonce once: `stale` asks the client to repeat with a fresh one, `replayed` means that this use was seen before. */
export type NonceUse = 'fresh' | 'stale' | 'replayed'

/** Phones refresh registrations every 1 to 60 minutes; a phone that does so within this span saves a round trip. */
const DEFAULT_LIFE_MS = 5 * 60_000
/** Some 100 bytes each. */
const DEFAULT_CAPACITY = 100_000

/**
 * Nonces that prove themselves: time and serial number under a code that includes the realm, so that giving one out costs no memory
 * (RFC 7616 §5.4) and a nonce of one realm is worth nothing in another. Memory is used only by nonces with which somebody has proved a
 * password, and is bounded.
 */
export class NonceMint {
  readonly #clock: Clock
  readonly #hashed: ShortMac
  readonly #lifeMs: Millis
  readonly #capacity: number
  #serial = 0
  /** Serial numbers up to this one are stale, their uses having been forgotten. */
  #floor = 0
  readonly #uses = new NonceUses()

  constructor(options: NonceOptions) {
    this.#clock = options.clock
    this.#hashed = new ShortMac(options.key)
    this.#lifeMs = options.lifeMs ?? DEFAULT_LIFE_MS
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY
  }

  /** A nonce never given out before. */
  issue(realm: string): string {
    const payload = `${stamp(this.#clock.now())}.${(++this.#serial).toString(36)}`
    return `${payload}.${this.#mac(payload, realm)}`
  }

  /** Whether `nonce` is ours and young enough. Nothing is remembered. */
  isCurrent(nonce: string, realm: string): boolean {
    return this.#serialOf(nonce, realm) > this.#floor
  }

  /** Uses `nonce` with count `nc`, after the response was found right. Each count is good once. */
  use(nonce: string, realm: string, nc: number): NonceUse {
    const serial = this.#serialOf(nonce, realm)
    if (serial <= this.#floor) return 'stale'
    if (!this.#uses.has(serial)) this.#remember(serial)
    return this.#uses.mark(serial, nc) ? 'fresh' : 'replayed'
  }

  /** Nonces remembered. */
  get remembered(): number {
    return this.#uses.size
  }

  #remember(serial: number): void {
    const now = this.#clock.now()
    while (this.#uses.size > 0) {
      const oldest = this.#uses.oldest
      // Past `until` the nonce itself is too old, since it was issued before its first use.
      if (oldest.until > now && this.#uses.size < this.#capacity) break
      this.#uses.dropOldest()
      if (oldest.until > now) this.#floor = Math.max(this.#floor, oldest.serial)
    }
    this.#uses.add(serial, now + this.#lifeMs)
  }

  /** Serial number of a nonce of ours that is not too old, else 0. */
  #serialOf(nonce: string, realm: string): number {
    const end = nonce.lastIndexOf('.')
    const payload = nonce.slice(0, Math.max(end, 0))
    if (!isSameText(nonce.slice(end + 1), this.#mac(payload, realm))) return 0
    const dot = payload.indexOf('.')
    const age = this.#clock.now() - Number.parseInt(payload.slice(0, dot), 36)
    return age < this.#lifeMs ? Number.parseInt(payload.slice(dot + 1), 36) : 0
  }

  #mac(payload: string, realm: string): string {
    return this.#hashed.of(`${payload}\n${realm}`)
  }
}

/** Milliseconds rounded down, so that a nonce never looks younger than it is by more than one. */
function stamp(now: Millis): string {
  return Math.floor(now).toString(36)
}
