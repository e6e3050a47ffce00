import { hasControls } from '#base/controls.ts'
import { parseNameAddr } from '#sip/message/name-addr.ts'
import type { SipRequest } from '#sip/message/message.ts'
import { parseUri } from '#sip/message/uri.ts'
import { readCaller, userOfAddress } from '#sip/identity/caller.ts'
import { type DiversionReason, diversionsOf } from '#sip/identity/diversion.ts'
import type { CompiledDevice, CompiledTrunk } from '#server/config/compiled.ts'
import { userOf } from '#server/dialplan/identify.ts'
import { readDialled, readFrom } from '#server/numbering/numbering.ts'

/** What an INVITE from a trunk says the caller dialled: where the trunk's document says it stands, then the usual places. */
export function dialledOnTrunk(request: SipRequest, trunk: CompiledTrunk): string[] {
  const found: string[] = []
  for (const place of [trunk.dialledNumberIn, 'request-uri', 'to']) {
    const number = numberAt(request, place)
    if (number !== undefined && !found.includes(number)) found.push(number)
  }
  return found
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

/**
 * Who a trunk says is calling, read where and as far as its document lets it say so. The number is empty when it is withheld, and then nothing
 * else of the caller is kept either.
 */
export function callerOnTrunk(request: SipRequest, trunk: CompiledTrunk, country: string): { number: string; name?: string } {
  const { address, hidden } = readCaller(request.headers, trunk.callerId.read)
  const user = userOfAddress(address)
  if (hidden || user === null) return { number: '' }
  const number = readFrom(trunk.numberFormat.in, user, country) ?? (/^[+0-9A-Za-z*#._-]{1,40}$/.test(user) ? user : '')
  const name = clean(request.headers.from.display || address.display)
  return name === '' || name === user ? { number } : { number, name }
}

/** Whom a call from a trunk had been meant for before it came to us, the latest first; who must not be shown is left out. */
export function divertedOnTrunk(request: SipRequest, trunk: CompiledTrunk, country: string): { number: string; reason: DiversionReason }[] {
  if (!trunk.callerId.trusted) return []
  return diversionsOf(request.headers).flatMap(({ user, reason, hidden }) => {
    const number = readFrom(trunk.numberFormat.in, user, country) ?? clean(user).slice(0, 40)
    return hidden || number === '' ? [] : [{ number, reason }]
  })
}

/** What a phone asks for about its own number: none at all (RFC 3323), or another of the company's than it usually shows (RFC 3325 §9.2). */
export function wishesOfPhone(request: SipRequest, device: CompiledDevice, country: string): { withheld?: true; preferred?: string } {
  const { address, hidden } = readCaller(request.headers, ['ppi', 'from'])
  if (hidden || device.withhold) return { withheld: true }
  const number = device.mayShow.size === 0 ? null : readDialled(userOfAddress(address) ?? '', country).e164
  return number !== null && device.mayShow.has(number) ? { preferred: number } : {}
}

/** A name fit for logs and screens: no control characters, bounded. */
export function clean(text: string): string {
  const printable = hasControls(text) ? text.replace(/[\x00-\x1f\x7f]/g, ' ') : text
  return printable.trim().slice(0, 80)
}
