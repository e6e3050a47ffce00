import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '#base/ids.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import { parseSipUri } from '#sip/message/uri.ts'

/** One instance of an address of record: what a GRUU leads to. */
export interface Instance {
  readonly aor: string
  /** `+sip.instance`, without quotes. */
  readonly instance: string
}

const TEMPORARY = 'tgruu.'
const NONCE_BYTES = 8
const ID_BYTES = 8
const TAG_BYTES = 10

/**
 * Globally routable URIs of single phones (RFC 5627). The public one tells address and instance; a temporary one tells nothing, is another
 * one with each registration, and works as long as its phone stays registered under the same Call-ID (§4.4). Nothing is stored for them:
 * the user part is a nonce and the registration's id, hidden under it and sealed (the idea of Appendix A.2).
 */
export class Gruus {
  readonly #key: Buffer
  readonly #random: Random
  /** Registrations that temporary GRUUs may lead to, and through how many contacts. */
  readonly #byId = new Map<string, Instance & { contacts: number }>()

  /** `secret`: at least 32 bytes that stay the same over restarts, or the GRUUs given out before lead nowhere. */
  constructor(secret: Uint8Array, random: Random) {
    this.#key = createHmac('sha256', secret).update('gruu').digest()
    this.#random = random
  }

  /** A contact was bound, or another registration took it over: to be told once for each. */
  bound(binding: Binding): void {
    const id = this.#idOf(binding)
    if (id === null || binding.instance === null) return
    const known = this.#byId.get(id)
    if (known === undefined) this.#byId.set(id, { aor: binding.aor, instance: binding.instance, contacts: 1 })
    else known.contacts++
  }

  unbound(binding: Binding): void {
    const id = this.#idOf(binding)
    const known = id === null ? undefined : this.#byId.get(id)
    if (id !== null && known !== undefined && --known.contacts === 0) this.#byId.delete(id)
  }

  /** The two GRUUs of a contact, as URIs; null when its phone shows no instance. */
  of(binding: Binding): { readonly pub: string; readonly temp: string } | null {
    const id = this.#idOf(binding)
    if (id === null || binding.instance === null) return null
    const { aor, instance } = binding
    const nonce = Buffer.from(this.#random.hex(NONCE_BYTES), 'hex')
    const hidden = Buffer.concat([nonce, this.#hide(Buffer.from(id, 'hex'), nonce)])
    const token = Buffer.concat([hidden, this.#seal(hidden)]).toString('hex')
    const domain = aor.slice(aor.lastIndexOf('@') + 1)
    return { pub: `sip:${aor};gr=${escapedInstance(instance)}`, temp: `sip:${TEMPORARY}${token}@${domain};gr` }
  }

  /** What a URI with `gr` leads to: `nobody` when it is no GRUU of ours or its phone is gone; null when the URI is an ordinary one. */
  find(uri: string): Instance | 'nobody' | null {
    const parsed = parseSipUri(uri)
    const gr = parsed?.params.get('gr')
    if (parsed === undefined || gr === undefined || parsed.user === null) return null
    if (gr === '') return this.#temporary(parsed.user) ?? 'nobody'
    const instance = unescaped(gr)
    return instance === null ? 'nobody' : { aor: `${parsed.user.toLowerCase()}@${parsed.host}`, instance: `<${instance}>` }
  }

  #temporary(user: string): Instance | null {
    const token = /^[0-9a-f]{52}$/.test(user.slice(TEMPORARY.length)) ? Buffer.from(user.slice(TEMPORARY.length), 'hex') : null
    if (token === null || !user.startsWith(TEMPORARY)) return null
    const hidden = token.subarray(0, NONCE_BYTES + ID_BYTES)
    if (!timingSafeEqual(this.#seal(hidden), token.subarray(hidden.length))) return null
    const id = this.#hide(hidden.subarray(NONCE_BYTES), hidden.subarray(0, NONCE_BYTES))
    return this.#byId.get(id.toString('hex')) ?? null
  }

  #idOf({ aor, instance, callId }: Binding): string | null {
    if (instance === null) return null
    const hash = createHmac('sha256', this.#key).update(`id\n${aor}\n${instance}\n${callId}`).digest('hex')
    return hash.slice(0, 2 * ID_BYTES)
  }

  /** Hides an id under a nonce, and shows it again. */
  #hide(id: Uint8Array, nonce: Uint8Array): Buffer {
    const mask = this.#mac('hide', nonce)
    return Buffer.from(id.map((byte, i) => byte ^ (mask[i] ?? 0)))
  }

  #seal(hidden: Uint8Array): Buffer {
    return this.#mac('seal', hidden).subarray(0, TAG_BYTES)
  }

  #mac(purpose: string, bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(purpose).update(bytes).digest()
  }
}

/** `<urn:uuid:...>` as the value of `gr`: without the brackets, what a URI parameter may not hold escaped (RFC 3261 §25.1). */
function escapedInstance(instance: string): string {
  return Array.from(Buffer.from(instance.replace(/^<|>$/g, '')), (byte) => {
    const char = String.fromCharCode(byte)
    return /[A-Za-z0-9\-_.!~*'()[\]/:&+$]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`
  }).join('')
}

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
