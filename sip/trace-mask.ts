const CREDENTIALS = /^((?:proxy-)?authorization[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim

/** A message with the values of Authorization and Proxy-Authorization replaced by `***`; the very bytes when it has none. */
export function masked(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const headEnd = text.indexOf('\r\n\r\n')
  const head = headEnd < 0 ? text : text.slice(0, headEnd)
  const safe = head.replace(CREDENTIALS, '$1 ***')
  return safe === head ? bytes : Buffer.from(safe + text.slice(head.length), 'latin1')
}
