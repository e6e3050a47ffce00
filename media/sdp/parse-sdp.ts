import { hasControls } from '#base/controls.ts'
import type { AddressType, Attribute, Connection, MalformedSdp, MediaDescription, Origin, Sdp } from '#media/sdp/sdp.ts'

/** Longer descriptions are refused unread. */
export const LONGEST_SDP_BYTES = 65_536
const MOST_LINES = 4096
const MOST_MEDIA = 64
const MOST_FORMATS = 128
/** Characters of a word of an m= line: a refused stream's are sent back (RFC 3264 §6). */
const LONGEST_WORD = 64

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
  const { origin, sessionName, connection, attributes, media } = reading
  if (origin === null) return malformed(0, 'an o= line (RFC 8866 §5.2)')
  return { kind: 'sdp', origin, sessionName, connection, attributes, media }
}

/** The first attribute of that name, lower case: its value, '' for a bare flag, null when absent. */
export function attribute(attributes: readonly Attribute[], name: string): string | null {
  for (const candidate of attributes) if (candidate.name === name) return candidate.value ?? ''
  return null
}

/** One to `most` decimal digits, and nothing else. */
export function isNumber(text: string, most: number): boolean {
  if (text.length === 0 || text.length > most) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return false
  }
  return true
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
  if (content[1] !== '=') return content.trim() === '' ? null : 'a letter and = (RFC 8866 §5)'
  switch (content[0]) {
    case 'o':
      return readOrigin(reading, content.slice(2))
    case 's':
      if (reading.media.length === 0) reading.sessionName = content.slice(2)
      return null
    case 'c':
      return readConnection(reading, content.slice(2))
    case 'a':
      return readAttribute(reading, content.slice(2))
    case 'm':
      return readMedia(reading, content.slice(2))
    default:
      return null
  }
}

function readOrigin(reading: Reading, value: string): string | null {
  const [username, sessionId, version, network, addressType, address] = wordsOf(value, 6)
  const rule = 'o=<username> <id> <version> IN IP4|IP6 <address> (RFC 8866 §5.2)'
  if (username === undefined || sessionId === undefined || version === undefined || address === undefined) return rule
  if (network !== 'IN' || !isAddressType(addressType)) return rule
  if (!isNumber(sessionId, LONGEST_ID) || !isNumber(version, LONGEST_ID)) return rule
  if (hasControls(username) || hasControls(address)) return 'an o= line without control characters'
  reading.origin ??= { username, sessionId, version, addressType, address }
  return null
}

function readConnection(reading: Reading, value: string): string | null {
  const [network, addressType, full] = wordsOf(value, 3)
  const slash = full?.indexOf('/') ?? -1
  const address = slash < 0 ? full : full?.slice(0, slash)
  if (network !== 'IN' || !isAddressType(addressType) || address === undefined || address === '')
    return 'c=IN IP4|IP6 <address> (RFC 8866 §5.7)'
  if (hasControls(address)) return 'a c= line without control characters'
  const owner = reading.media[reading.media.length - 1] ?? reading
  owner.connection ??= { addressType, address }
  return null
}

function readAttribute(reading: Reading, value: string): string | null {
  const colon = value.indexOf(':')
  const name = (colon < 0 ? value : value.slice(0, colon)).trim().toLowerCase()
  if (name === '' || hasControls(name)) return 'a=<name>[:<value>] (RFC 8866 §5.13)'
  const owner = reading.media[reading.media.length - 1] ?? reading
  owner.attributes.push({ name, value: colon < 0 ? null : value.slice(colon + 1).trim() })
  return null
}

function readMedia(reading: Reading, value: string): string | null {
  if (reading.media.length >= MOST_MEDIA) return `at most ${MOST_MEDIA} m= lines`
  const words = wordsOf(value, MOST_FORMATS + 4)
  const [type, ports, protocol] = words
  const rule = 'm=<type> <port>[/<count>] <protocol> <format> ... (RFC 8866 §5.14)'
  if (type === undefined || type === '' || ports === undefined || protocol === undefined) return rule
  const port = portIn(ports)
  if (!(port <= 65_535)) return 'a port from 0 to 65535 (RFC 8866 §5.14)'
  const formats = words.slice(3)
  if (formats.length === 0 && port !== 0) return rule
  if (formats.length > MOST_FORMATS) return `at most ${MOST_FORMATS} formats`
  // The word of the ports is shorter anyhow.
  if (words.some((word) => word.length > LONGEST_WORD)) return `words of at most ${LONGEST_WORD} characters`
  if (hasControls(value)) return 'an m= line without control characters'
  reading.media.push({ type: type.toLowerCase(), port, protocol: protocol.toUpperCase(), formats, connection: null, attributes: [] })
  return null
}

/** Of `<port>[/<count>]`; NaN for anything else. */
function portIn(ports: string): number {
  const slash = ports.indexOf('/')
  const port = slash < 0 ? ports : ports.slice(0, slash)
  const isWhole = isNumber(port, 5) && (slash < 0 || isNumber(ports.slice(slash + 1), 5))
  return isWhole ? Number(port) : Number.NaN
}

/**
 * The first words between spaces, `most` at most, without blanks at the ends of the line; other spaces of Unicode are parts of words. An
 * empty line has one, empty.
 */
function wordsOf(text: string, most: number): string[] {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  const words: string[] = []
  for (;;) {
    const space = text.indexOf(' ', start)
    const isLast = space < 0 || space >= end
    words.push(text.slice(start, isLast ? end : space))
    if (isLast || words.length === most) return words
    start = space + 1
    while (text.charCodeAt(start) === SPACE) start++
  }
}

function isBlank(code: number): boolean {
  return code === SPACE || code === 0x09
}

const SPACE = 0x20
/** Digits of an id in an o= line. */
const LONGEST_ID = 32

function isAddressType(word: string | undefined): word is AddressType {
  return word === 'IP4' || word === 'IP6'
}

function malformed(line: number, rule: string): MalformedSdp {
  return { kind: 'malformed', line, rule }
}
