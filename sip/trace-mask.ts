const CREDENTIALS = /^((?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim

/** What may be a key in a body: the key parameters of `a=crypto` (RFC 4568 §9.1), however that line is broken, and `k=` of old (RFC 8866 §5.12). */
const MEDIA_KEYS =
  /^([ \t]*a[ \t]*=[ \t]*crypto[ \t]*:(?:[ \t]*\d{1,9}[ \t]+[A-Z][A-Z0-9_]{1,40}(?=[ \t]))?)[^\r\n]*|^([ \t]*k=)[^\r\n]*|(inline[ \t]*:[ \t]*)[^\s|;]*/gim

/** A digit that a phone sends by INFO: what is dialled may be a PIN. */
const DIGITS = /^([ \t]*signal[ \t]*[=:][ \t]*)[^\r\n]+/gim

/** What is dialled behind a code and its number, as `*11101*4711`: somebody who logs in at a phone may have put their PIN there. */
const DIALLED = /((?:sips?|tel):(?:[*#]|%2a|%23)\d+(?:[*#]|%2a|%23))\d+/gi

/**
 * A message with the values of Authorization and Proxy-Authorization and the keys of encrypted media replaced by `***`, and pressed digits
 * and those dialled where a PIN may be by `*`; the very bytes when it has none. Whoever reads a trace may neither log in as a phone, listen to its calls, nor learn its PINs.
 */
export function masked(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const headEnd = text.indexOf('\r\n\r\n')
  const head = headEnd < 0 ? text : text.slice(0, headEnd)
  const safeHead = head.replace(CREDENTIALS, '$1 ***').replace(DIALLED, '$1*')
  const body = text.slice(head.length)
  const safeBody = body.replace(MEDIA_KEYS, (_line, crypto: string | undefined, old: string | undefined, inline: string | undefined) =>
    crypto !== undefined ? `${crypto} ***` : `${old ?? inline ?? ''}***`,
  )
  const plainBody = /^info /i.test(head) ? safeBody.replace(DIGITS, '$1*') : safeBody
  return safeHead === head && plainBody === body ? bytes : Buffer.from(safeHead + plainBody, 'latin1')
}
