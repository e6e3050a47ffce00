import type { SipUri } from '#sip/message/uri.ts'

/** Parameters that make two URIs different even when only one of them has it (RFC 3261 §19.1.4). */
const TELLING = ['user', 'ttl', 'method', 'maddr', 'transport'] as const

/**
 * A text that is the same for Contact URIs that reach the same place. RFC 3261 §19.1.4 equality is not transitive, so that no key can match
 * it fully: parameters beyond the telling ones are left out here.
 */
export function contactKey(uri: SipUri): string {
  let key = `${uri.secure ? 'sips' : 'sip'}:${uri.escapedUser ?? ''}:${uri.password ?? ''}@${uri.host}:${uri.port ?? ''}`
  for (const name of TELLING) {
    const value = uri.params.get(name)
    if (value !== undefined) key += `;${name}=${value.toLowerCase()}`
  }
  return key
}
