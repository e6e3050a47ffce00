import type { AddressType, Attribute, Connection, MalformedSdp, MediaDescription, Origin, Sdp } from '#media/sdp/sdp.ts'

/** Longer descriptions are refused unread. */
export const LONGEST_SDP_BYTES = 65_536
const MOST_LINES = 4096
const MOST_MEDIA = 64
const MOST_FORMATS = 128
/** Characters of a word of an m= line: a refused stream's are sent back (RFC 3264 §6). */
const LONGEST_WORD = 64
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not stand in a word: left out when it is written, they may leave nothing.
const CONTROLS = /[\0-\x1f\x7f]/

/**
 * Reads a session description: one pass, any input gives a description or the line and rule it breaks. Strict where we
 * rely on it (v=, o=, c=, m=), lenient where implementations differ: bare LF, blank lines, missing s= or t=, unknown
 * lines and further c= lines are read over.
 */
export function parseSdp(input: string | Uint8Array): Sdp | MalformedSdp {
  if (input.length > LONGEST_SDP_BYTES) return malformed(0, `at most ${LONGEST_SDP_BYTES} bytes`)
  const text = typeof input === 'string' ? input : utf8.decode(input)
  const reading: Reading = { origin: null, sessionName: '-', connection: null, attributes: [], media: [] }
  let line = 0
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from)
    const end = newline < 0 ? text.length : newline
    const content = text.slice(from, text.charCodeAt(end - 1) === CR && end > from ? end - 1 : end)
    from = end + 1
    line++
    if (line > MOST_LINES) return malformed(line, `at most ${MOST_LINES} lines`)
    const rule = line === 1 ? (content === 'v=0' ? null : 'v=0 as the first line (RFC 8866 §5.1)') : readLine(reading, content)
    if (rule !== null) return malformed(line, rule)
  }
  const { origin, ...rest } = reading
  if (origin === null) return malformed(0, 'an o= line (RFC 8866 §5.2)')
  return { kind: 'sdp', origin, ...rest }
}

/** The first attribute of that name, lower case: its value, '' for a bare flag, null when absent. */
export function attribute(attributes: readonly Attribute[], name: string): string | null {
  for (const candidate of attributes) if (candidate.name === name) return candidate.value ?? ''
  return null
}

const CR = 13
const utf8 = new TextDecoder()

interface Reading {
  origin: Origin | null
  sessionName: string
  connection: Connection | null
  attributes: Attribute[]
  media: MediaDescription[]
}

/** Takes one line in; what it breaks, or null. */
function readLine(reading: Reading, content: string): string | null {
  if (content.trim() === '') return null
  if (content[1] !== '=') return 'a letter and = (RFC 8866 §5)'
  const value = content.slice(2)
  switch (content[0]) {
    case 'o':
      return readOrigin(reading, value)
    case 's':
      if (reading.media.length === 0) reading.sessionName = value
      return null
    case 'c':
      return readConnection(reading, value)
    case 'a':
      return readAttribute(reading, value)
    case 'm':
      return readMedia(reading, value)
    default:
      return null
  }
}

function readOrigin(reading: Reading, value: string): string | null {
  const [username, sessionId, version, network, addressType, address] = withoutBlanks(value).split(/ +/, 6)
  const rule = 'o=<username> <id> <version> IN IP4|IP6 <address> (RFC 8866 §5.2)'
  if (username === undefined || sessionId === undefined || version === undefined || address === undefined) return rule
  if (network !== 'IN' || !isAddressType(addressType)) return rule
  if (!DIGITS.test(sessionId) || !DIGITS.test(version)) return rule
  if (CONTROLS.test(username + address)) return 'an o= line without control characters'
  reading.origin ??= { username, sessionId, version, addressType, address }
  return null
}

function readConnection(reading: Reading, value: string): string | null {
  const [network, addressType, full] = withoutBlanks(value).split(/ +/, 3)
  const address = full?.split('/', 1)[0]
  if (network !== 'IN' || !isAddressType(addressType) || address === undefined || address === '')
    return 'c=IN IP4|IP6 <address> (RFC 8866 §5.7)'
  if (CONTROLS.test(address)) return 'a c= line without control characters'
  const owner = reading.media.at(-1) ?? reading
  owner.connection ??= { addressType, address }
  return null
}

function readAttribute(reading: Reading, value: string): string | null {
  const colon = value.indexOf(':')
  const name = (colon < 0 ? value : value.slice(0, colon)).trim().toLowerCase()
  if (name === '' || CONTROLS.test(name)) return 'a=<name>[:<value>] (RFC 8866 §5.13)'
  const owner = reading.media.at(-1) ?? reading
  owner.attributes.push({ name, value: colon < 0 ? null : value.slice(colon + 1).trim() })
  return null
}

function readMedia(reading: Reading, value: string): string | null {
  if (reading.media.length >= MOST_MEDIA) return `at most ${MOST_MEDIA} m= lines`
  const [type, ports, protocol, ...formats] = withoutBlanks(value).split(/ +/, MOST_FORMATS + 4)
  const rule = 'm=<type> <port>[/<count>] <protocol> <format> ... (RFC 8866 §5.14)'
  if (type === undefined || type === '' || ports === undefined || protocol === undefined) return rule
  const digits = /^(\d{1,5})(?:\/\d{1,5})?$/.exec(ports)?.[1]
  const port = digits === undefined ? Number.NaN : Number(digits)
  if (!(port <= 65_535)) return 'a port from 0 to 65535 (RFC 8866 §5.14)'
  if (formats.length === 0 && port !== 0) return rule
  if (formats.length > MOST_FORMATS) return `at most ${MOST_FORMATS} formats`
  if ([type, protocol, ...formats].some((word) => word.length > LONGEST_WORD)) return `words of at most ${LONGEST_WORD} characters`
  if (CONTROLS.test(value)) return 'an m= line without control characters'
  reading.media.push({ type: type.toLowerCase(), port, protocol: protocol.toUpperCase(), formats, connection: null, attributes: [] })
  return null
}

/** Without blanks at its ends; other spaces of Unicode are parts of words, here as in the middle of a line. */
function withoutBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

const DIGITS = /^\d{1,32}$/

function isAddressType(word: string | undefined): word is AddressType {
  return word === 'IP4' || word === 'IP6'
}

function malformed(line: number, rule: string): MalformedSdp {
  return { kind: 'malformed', line, rule }
}
