import { MAX_INPUT_BYTES } from '#tools/fuzz/target.ts'

/** Repeatable random numbers (the mulberry32 recurrence): the same seed gives the same attack on every machine. */
export class SeededDice {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** Uniform in [0, limit). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0]
  }
}

/** One to eight changes to a member of the corpus. */
export function mutated(corpus: readonly [Uint8Array, ...Uint8Array[]], dice: SeededDice): Buffer {
  let bytes: Buffer = Buffer.from(dice.pick(corpus))
  const rounds = 1 << dice.below(4)
  for (let i = 0; i < rounds; i++) bytes = dice.pick(CHANGES)(bytes, dice, corpus)
  return bytes.subarray(0, MAX_INPUT_BYTES)
}

type Change = (bytes: Buffer, dice: SeededDice, corpus: readonly [Uint8Array, ...Uint8Array[]]) => Buffer

/** What parsers of text and of packets stumble over. */
const DICTIONARY: readonly [Buffer, ...Buffer[]] = [
  Buffer.from('\r\n'),
  ...[
    '\r',
    '\n',
    '\r\n\r\n',
    '\r\n ',
    '\0',
    '"',
    '\\',
    '\\"',
    '<',
    '>',
    ';',
    ',',
    ':',
    '=',
    '@',
    '%',
    '%00',
    '%zz',
    '?',
    '&',
    '/',
    '*',
    ' ',
    '\t',
    '[',
    ']',
    '::',
    '..',
  ].map((text) => Buffer.from(text)),
  ...['-1', '0', '+5', '255', '256', '65535', '65536', '4294967295', '4294967296', '18446744073709551616', '1e9', '0x10', 'NaN'].map(
    (text) => Buffer.from(text),
  ),
  ...[
    '\ufeff',
    'Ж',
    '😀',
    '\u2028',
    'sip:',
    'tel:',
    'SIP/2.0',
    'l: 0\r\n',
    'a=',
    'm=audio 0 RTP/AVP 0',
    '- ',
    '{',
    '}',
    '&a ',
    '*a',
    '!!',
    '__proto__',
    'constructor',
  ].map((text) => Buffer.from(text)),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xc0, 0x80]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xff, 0xff, 0xff, 0xff]),
  Buffer.from([0x80, 0xc8, 0, 0]),
]

const CHANGES: readonly [Change, ...Change[]] = [
  flip,
  put,
  put,
  cut,
  double,
  double,
  splice,
  replaceDigits,
  repeatLine,
  shuffleLines,
  swell,
]

function flip(bytes: Buffer, dice: SeededDice): Buffer {
  if (bytes.length > 0) bytes[dice.below(bytes.length)] = dice.below(256)
  return bytes
}

function put(bytes: Buffer, dice: SeededDice): Buffer {
  const at = dice.below(bytes.length + 1)
  const over = dice.below(2) === 0 ? 0 : dice.below(4)
  return Buffer.concat([bytes.subarray(0, at), dice.pick(DICTIONARY), bytes.subarray(at + over)])
}

function cut(bytes: Buffer, dice: SeededDice): Buffer {
  const [from, to] = range(bytes, dice, 64)
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
}

function double(bytes: Buffer, dice: SeededDice): Buffer {
  const [from, to] = range(bytes, dice, 64)
  return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)])
}

/** The head of one and the tail of another. */
function splice(bytes: Buffer, dice: SeededDice, corpus: readonly [Uint8Array, ...Uint8Array[]]): Buffer {
  const other = dice.pick(corpus)
  return Buffer.concat([bytes.subarray(0, dice.below(bytes.length + 1)), other.subarray(dice.below(other.length + 1))])
}

function replaceDigits(bytes: Buffer, dice: SeededDice): Buffer {
  const numbers = [...bytes.toString('latin1').matchAll(/[0-9]+/g)]
  const chosen = numbers[dice.below(numbers.length)]
  if (chosen === undefined) return bytes
  const end = chosen.index + chosen[0].length
  return Buffer.concat([bytes.subarray(0, chosen.index), dice.pick(DICTIONARY), bytes.subarray(end)])
}

function repeatLine(bytes: Buffer, dice: SeededDice): Buffer {
  const lines = linesOf(bytes)
  const at = dice.below(lines.length)
  const line = lines[at] ?? bytes
  lines.splice(dice.below(lines.length + 1), 0, ...Array.from({ length: 1 + dice.below(4) }, () => line))
  return Buffer.concat(lines)
}

function shuffleLines(bytes: Buffer, dice: SeededDice): Buffer {
  const lines = linesOf(bytes)
  const [from, to] = [dice.below(lines.length), dice.below(lines.length)]
  const moved = lines.splice(from, 1)
  lines.splice(to, 0, ...moved)
  return Buffer.concat(lines)
}

/** A small piece many times over, rarely up to the size of a datagram: what costs more than linear time shows here. */
function swell(bytes: Buffer, dice: SeededDice): Buffer {
  const [from, to] = range(bytes, dice, 24)
  const piece = dice.below(2) === 0 ? bytes.subarray(from, to) : dice.pick(DICTIONARY)
  if (piece.length === 0) return bytes
  const room = Math.max(0, MAX_INPUT_BYTES - bytes.length)
  const wanted = dice.below(8) === 0 ? room : Math.min(room, dice.below(2048))
  const times = Math.floor(wanted / piece.length)
  return Buffer.concat([bytes.subarray(0, to), ...Array.from({ length: times }, () => piece), bytes.subarray(to)])
}

function range(bytes: Buffer, dice: SeededDice, longest: number): [from: number, to: number] {
  const from = dice.below(bytes.length + 1)
  return [from, Math.min(bytes.length, from + dice.below(longest))]
}

function linesOf(bytes: Buffer): Buffer[] {
  return (bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? ['']).map((line) => Buffer.from(line, 'latin1'))
}
