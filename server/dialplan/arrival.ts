import { parseNameAddr } from '#sip/message/name-addr.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { parseUri } from '#sip/message/uri.ts'
import type { CompiledTrunk } from '#server/config/compiled.ts'
import { userOf } from '#server/dialplan/identify.ts'
import { readFrom } from '#server/numbering/numbering.ts'

/** What an INVITE from a trunk says the caller dialled: where the trunk's document says it stands, then the usual places. */
export function dialledOnTrunk(request: SipRequest, trunk: CompiledTrunk): string[] {
  const places = [trunk.dialledNumberIn, 'request-uri', 'to']
  const found = places.flatMap((place) => numberAt(request, place) ?? [])
  return [...new Set(found)]
}

function numberAt(request: SipRequest, place: string): string | undefined {
  if (place === 'request-uri') return userOfUri(request.uri)
  if (place === 'to') return userOf(request.headers.to)
  const value = request.headers.get(place)
  if (value === undefined) return undefined
  return userOf(parseNameAddr(value) ?? null) ?? /\+?[0-9]{2,20}/.exec(value)?.[0]
}

/** The user part of a Request-URI, or the number of a tel: URI. */
export function userOfUri(text: string): string | undefined {
  const uri = parseUri(text)
  if (uri?.kind === 'sip') return uri.user ?? undefined
  return uri?.kind === 'tel' ? uri.number : undefined
}

/** Who a trunk says is calling: the asserted identity (RFC 3325) before From. The number is empty when it is withheld. */
export function callerOnTrunk(request: SipRequest, trunk: CompiledTrunk, country: string): { number: string; name?: string } {
  const asserted = request.headers.get('P-Asserted-Identity') ?? request.headers.get('Remote-Party-ID')
  const address = (asserted === undefined ? undefined : parseNameAddr(asserted)) ?? request.headers.from
  const hidden =
    /\b(id|user|header)\b/i.test(request.headers.get('Privacy') ?? '') || /anonymous/i.test(userOf(request.headers.from) ?? 'anonymous')
  if (hidden) return { number: '' }
  const user = userOf(address) ?? ''
  const number = readFrom(trunk.numberFormat.in, user, country) ?? (/^[+0-9A-Za-z*#._-]{1,40}$/.test(user) ? user : '')
  const name = clean(request.headers.from.display || address.display)
  return name === '' || name === user ? { number } : { number, name }
}

/** A name fit for logs and screens: no control characters, bounded. */
export function clean(text: string): string {
  return text
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .trim()
    .slice(0, 80)
}
