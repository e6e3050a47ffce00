/** Builds what X.509 certificates are made of: ASN.1 values in DER (ITU-T X.690). Each function gives one whole value: tag, length, contents. */
export type Der = Buffer

const BOOLEAN = 0x01
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OID = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
const SEQUENCE = 0x30
const SET = 0x31

export function sequence(...parts: readonly Der[]): Der {
  return value(SEQUENCE, Buffer.concat(parts))
}

/** Of one element, as names need it: then there is nothing to sort. */
export function setOf(part: Der): Der {
  return value(SET, part)
}

/** `[n]` around a whole value. */
export function explicit(n: number, part: Der): Der {
  return value(0xa0 | n, part)
}

/** `[n]` in place of a primitive value's own tag. */
export function implicit(n: number, contents: Uint8Array): Der {
  return value(0x80 | n, contents)
}

/** A whole number, big-endian, not negative. */
export function integer(bytes: Uint8Array | number): Der {
  const given = typeof bytes === 'number' ? Buffer.from([bytes]) : Buffer.from(bytes)
  const first = given.findIndex((byte) => byte !== 0)
  const shortest = first < 0 ? Buffer.from([0]) : given.subarray(first)
  // With its top bit set it would be negative.
  return value(INTEGER, (shortest[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.from([0]), shortest]) : shortest)
}

export function boolean(is: boolean): Der {
  return value(BOOLEAN, Buffer.from([is ? 0xff : 0]))
}

/** `unused`: bits at the end that do not count, 0 to 7. */
export function bitString(bytes: Uint8Array, unused = 0): Der {
  return value(BIT_STRING, Buffer.concat([Buffer.from([unused]), bytes]))
}

export function octetString(bytes: Uint8Array): Der {
  return value(OCTET_STRING, bytes)
}

export function utf8String(text: string): Der {
  return value(UTF8_STRING, Buffer.from(text, 'utf8'))
}

/** Written with dots: `1.2.840.10045.4.3.2`. */
export function oid(dotted: string): Der {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number)
  return value(OID, Buffer.from([40 * a + b, ...rest.flatMap(base128)]))
}

/** Whole seconds of Unix time in ms; RFC 5280 §4.1.2.5: UTCTime up to 2049, GeneralizedTime from then on. */
export function time(at: number): Der {
  const text = `${new Date(at).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return text < '2050' ? value(UTC_TIME, Buffer.from(text.slice(2))) : value(GENERALIZED_TIME, Buffer.from(text))
}

function value(tag: number, contents: Uint8Array): Der {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(contents.length)]), contents])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [0x80 | bytes.length, ...bytes]
}

function base128(number: number): number[] {
  const bytes = [number & 0x7f]
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80)
  return bytes
}
