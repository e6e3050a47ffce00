import type { Attribute, Connection, MediaDescription, Sdp } from '#media/sdp/sdp.ts'

/** The description as text, in the order of RFC 8866 §5, lines ended by CRLF. What was parsed from hostile bytes keeps to its lines. */
export function writeSdp(sdp: Sdp): string {
  const { username, sessionId, version, addressType, address } = sdp.origin
  let text = `v=0\r\no=${clean(username)} ${sessionId} ${version} IN ${addressType} ${clean(address)}\r\ns=${clean(sdp.sessionName) || '-'}\r\n`
  text += connectionLine(sdp.connection)
  text += 't=0 0\r\n'
  for (const one of sdp.attributes) text += attributeLine(one)
  for (const one of sdp.media) text += mediaLines(one)
  return text
}

function mediaLines(media: MediaDescription): string {
  let text = `m=${clean(media.type)} ${media.port} ${clean(media.protocol)} ${media.formats.map(clean).join(' ') || '0'}\r\n`
  text += connectionLine(media.connection)
  for (const one of media.attributes) text += attributeLine(one)
  return text
}

function connectionLine(connection: Connection | null): string {
  return connection === null ? '' : `c=IN ${connection.addressType} ${clean(connection.address)}\r\n`
}

function attributeLine({ name, value }: Attribute): string {
  return value === null ? `a=${clean(name)}\r\n` : `a=${clean(name)}:${clean(value)}\r\n`
}

function clean(text: string): string {
  return BREAKS.test(text) ? text.replaceAll(BREAKS_ALL, '') : text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into a line.
const BREAKS = /[\r\n\0]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const BREAKS_ALL = /[\r\n\0]/g
