import { trimmed } from '#sip/message/grammar.ts'
import { parseParams } from '#sip/message/params.ts'

/** One value of an Identity header (RFC 8224 §4.1). */
export interface IdentityValue {
  /** The PASSporT, compact (`..signature`) or full (`header.payload.signature`). */
  readonly token: string
  /** Where the certificate is: an absolute URI. */
  readonly info: string
  /** Lower case; `es256` when it is not said (RFC 8224 §4.1: the default). */
  readonly alg: string
  /** The extension, lower case; null without one. */
  readonly ppt: string | null
}

/** A PASSporT of SHAKEN is about 500 characters; nobody needs more than this. */
const LONGEST = 4096

/** Reads one Identity value; null when it is malformed: no token, no `info` in angle brackets, parameters that are none. Total. */
export function parseIdentity(text: string): IdentityValue | null {
  if (text.length > LONGEST) return null
  const end = text.indexOf(';')
  const token = trimmed(text, 0, end < 0 ? text.length : end)
  if (end < 0 || !/^[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+$/.test(token)) return null
  // `info=<uri>` holds characters that other parameters may not, a semicolon among them.
  const found = /;\s*info\s*=\s*<([^<>\s]{1,1024})>/i.exec(text.slice(end))
  const rest = found === null ? null : parseParams(text.slice(end).replace(found[0], ''), 0)
  if (found === null || rest === null || rest === undefined) return null
  const value = (name: string): string | null => rest.get(name)?.replaceAll('"', '').toLowerCase() ?? null
  return { token, info: found[1] ?? '', alg: value('alg') ?? 'es256', ppt: value('ppt') }
}

/** The wire form of a full PASSporT (RFC 8224 §4.1). */
export function formatIdentity(token: string, info: string, ppt: string): string {
  return `${token};info=<${info}>;alg=ES256;ppt="${ppt}"`
}
