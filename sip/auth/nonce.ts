import { type KeyObject, timingSafeEqual } from 'node:crypto'
import type { Clock, Millis } from '#base/clock.ts'
import { HmacSha256 } from '#sip/auth/hmac.ts'

export interface NonceOptions {
  clock: Clock
  /** HMAC key of at least 128 bits, drawn anew for each process life: nonces of an earlier life then count as stale. */
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
/** About 100 bytes each. */
const DEFAULT_CAPACITY = 100_000
/** UDP may reorder: so many counts below the highest are still taken, once each. */
const WINDOW = 32
/** 96 bits in base64url. */
const MAC_LENGTH = 16

/**
 * Nonces that prove themselves: time and serial number under an HMAC that includes the realm, so that giving one out costs no memory
 * (RFC 7616 §5.4) and a nonce of one realm is worth nothing in another. Memory is used only by nonces with which somebody has proved a
 * password, and is bounded.
 */
export class NonceMint {
  readonly #clock: Clock
  readonly #hmac: HmacSha256
  readonly #lifeMs: Millis
  readonly #capacity: number
  #serial = 0
  /** Serial numbers up to this one are stale, their uses having been forgotten. */
  #floor = 0
  /** Uses by serial number, in the order of first use. */
  readonly #uses = new Map<number, Uses>()

  constructor(options: NonceOptions) {
    this.#clock = options.clock
    this.#hmac = new HmacSha256(options.key)
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
    const uses = this.#uses.get(serial) ?? this.#remember(serial)
    return mark(uses, nc) ? 'fresh' : 'replayed'
  }

  /** Nonces remembered. */
  get remembered(): number {
    return this.#uses.size
  }

  #remember(serial: number): Uses {
    this.#dropOld()
    const uses: Uses = { highest: 0, seen: 0, until: this.#clock.now() + this.#lifeMs }
    this.#uses.set(serial, uses)
    return uses
  }

  #dropOld(): void {
    const now = this.#clock.now()
    for (const [serial, uses] of this.#uses) {
      // Past `until` the nonce itself is too old, since it was issued before its first use.
      if (uses.until > now && this.#uses.size < this.#capacity) break
      this.#uses.delete(serial)
      if (uses.until > now) this.#floor = Math.max(this.#floor, serial)
    }
  }

  /** Serial number of a nonce of ours that is not too old, else 0. */
  #serialOf(nonce: string, realm: string): number {
    const end = nonce.lastIndexOf('.')
    const payload = nonce.slice(0, Math.max(end, 0))
    const [time = '', serial = ''] = payload.split('.')
    const age = this.#clock.now() - Number.parseInt(time, 36)
    const given = Buffer.from(nonce.slice(end + 1))
    const mac = Buffer.from(this.#mac(payload, realm))
    if (given.length !== mac.length || !timingSafeEqual(given, mac)) return 0
    return age <= this.#lifeMs ? Number.parseInt(serial, 36) : 0
  }

  #mac(payload: string, realm: string): string {
    return this.#hmac.of(`${payload}\n${realm}`, 'base64url').slice(0, MAC_LENGTH)
  }
}

interface Uses {
  highest: number
  /** Bit n: count `highest` - n was seen. */
  seen: number
  until: Millis
}

/** Milliseconds rounded down, so that a nonce never looks younger than it is by more than one. */
function stamp(now: Millis): string {
  return Math.floor(now).toString(36)
}

function mark(uses: Uses, nc: number): boolean {
  const ahead = nc - uses.highest
  if (ahead > 0) {
    uses.seen = ahead >= WINDOW ? 1 : (uses.seen << ahead) | 1
    uses.highest = nc
    return true
  }
  const bit = 1 << -ahead
  if (-ahead >= WINDOW || nc < 1 || (uses.seen & bit) !== 0) return false
  uses.seen |= bit
  return true
}
