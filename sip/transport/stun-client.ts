import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { HostPort } from '#sip/transport/transport.ts'
import { ADDRESS_ATTRIBUTE, addressOf, attributesOf, BINDING, bindingRequest, TRANSACTION_ID_BYTES } from '#sip/transport/stun.ts'

/** Where a STUN server sees us, or why nothing is known. */
export type Sighting =
  | {
      readonly kind: 'seen'
      readonly at: HostPort
      /** Another address of the server, from which it answers as well (RFC 5780 §7.4). */
      readonly other: HostPort | null
    }
  | { readonly kind: 'unseen'; readonly why: string }

/** First pause before a request is sent again; it doubles (RFC 8489 §6.2.1: RTO, Rc). */
const RTO_MS: Millis = 500
const MOST_SENT = 7

interface Asked {
  readonly server: HostPort
  readonly settle: (sighting: Sighting) => void
}

/** Asks STUN servers where packets of one socket are seen to come from (RFC 8489, binding requests without credentials). */
export class StunClient {
  readonly #clock: Clock
  readonly #random: Random
  readonly #send: (bytes: Uint8Array, server: HostPort) => void
  readonly #asked = new Map<string, Asked>()

  constructor(clock: Clock, random: Random, send: (bytes: Uint8Array, server: HostPort) => void) {
    this.#clock = clock
    this.#random = random
    this.#send = send
  }

  /** `server`: an address, no name. */
  ask(server: HostPort, patienceMs: Millis): Promise<Sighting> {
    const id = this.#random.hex(TRANSACTION_ID_BYTES)
    const request = bindingRequest(id)
    const { promise, resolve } = Promise.withResolvers<Sighting>()
    let again: Disposable | null = null
    const send = (nth: number): void => {
      this.#send(request, server)
      if (nth < MOST_SENT) again = this.#clock.after(RTO_MS * 2 ** (nth - 1), () => send(nth + 1))
    }
    const patience = this.#clock.after(patienceMs, () => settle({ kind: 'unseen', why: 'no answer' }))
    const settle = (sighting: Sighting): void => {
      again?.[Symbol.dispose]()
      patience[Symbol.dispose]()
      this.#asked.delete(id)
      resolve(sighting)
    }
    this.#asked.set(id, { server, settle })
    send(1)
    return promise
  }

  /** Takes a STUN message that came. What answers nothing that was asked, or comes from elsewhere than where it was asked, is passed over. */
  receive(bytes: Uint8Array, from: HostPort): void {
    if (this.#asked.size === 0) return
    const message = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const type = message.readUInt16BE(0)
    const asked = this.#asked.get(message.toString('hex', 8, 8 + TRANSACTION_ID_BYTES))
    if (asked === undefined || asked.server.host !== from.host || asked.server.port !== from.port) return
    if (type === BINDING.error) asked.settle({ kind: 'unseen', why: 'it refuses to say' })
    else if (type === BINDING.success) {
      const sighting = sightingOf(message)
      if (sighting !== null) asked.settle(sighting)
    }
  }
}

/** Null for what is malformed, or has attributes that must be understood and are not (RFC 8489 §6.3.3): the answer may still come. */
function sightingOf(message: Buffer): Sighting | null {
  const attributes = attributesOf(message)
  if (attributes === null || attributes.some(({ type }) => type < 0x8000 && !UNDERSTOOD.has(type))) return null
  const of = (...types: readonly number[]): HostPort | null => {
    for (const type of types) {
      const found = attributes.find((each) => each.type === type)
      if (found !== undefined) return addressOf(message, found)
    }
    return null
  }
  const at = of(ADDRESS_ATTRIBUTE.xorMapped, ADDRESS_ATTRIBUTE.mapped)
  return at === null ? null : { kind: 'seen', at, other: of(ADDRESS_ATTRIBUTE.other, ADDRESS_ATTRIBUTE.changed) }
}

/** Those of older servers, too (RFC 3489 §11.2): source and changed address stand below 0x8000. */
const UNDERSTOOD: ReadonlySet<number> = new Set([ADDRESS_ATTRIBUTE.mapped, ADDRESS_ATTRIBUTE.xorMapped, ADDRESS_ATTRIBUTE.changed, 0x0004])
