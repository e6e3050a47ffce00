import { afterQuoted, classOf, isBlank, trimmed } from '#sip/message/grammar.ts'
import { MAX_PARAMS } from '#sip/message/limits.ts'

/**
 * Parameters in order, names in lower case. A parameter without value has the value ''. A quoted value keeps its quotes
 * (`unquoted` from grammar.ts removes them).
 */
export interface Params extends Iterable<readonly [name: string, value: string]> {
  readonly size: number
  get(name: string): string | undefined
  has(name: string): boolean
}

export const NO_PARAMS: Params = new Map()

/**
 * Parses `*( SEMI generic-param )` (RFC 3261 §25.1) in `text` from `at` to its end. Undefined when it is malformed: an empty or repeated
 * parameter (RFC 3261 §7.3.1), an unclosed quote, more than MAX_PARAMS. Values may hold any visible character that cannot be mistaken
 * for a delimiter, because tags and tokens in the field often do.
 */
export function parseParams(text: string, at: number): Params | undefined {
  let i = skipBlanks(text, at)
  if (i === text.length) return NO_PARAMS
  const params = new ParamChain()
  let quote = text.indexOf('"', i)
  while (i < text.length) {
    if (text.charCodeAt(i) !== SEMICOLON || params.size >= MAX_PARAMS) return undefined
    // Most have no quotes, and V8 finds their ends faster than a loop does.
    if (quote >= 0 && quote <= i) quote = text.indexOf('"', i + 1)
    const semicolon = text.indexOf(';', i + 1)
    const next = semicolon < 0 ? text.length : semicolon
    const end = quote < 0 || quote > next ? next : paramEnd(text, quote)
    if (end < 0 || !addParam(params, text, i + 1, end)) return undefined
    i = end
  }
  return params
}

/** `;name=value` for each, as they are. */
export function formatParams(params: Params): string {
  if (params.size === 0) return ''
  let text = ''
  for (const [name, value] of params) text += formatParam(name, value)
  return text
}

/** `;name=value`, or `;name` alone. */
export function formatParam(name: string, value: string): string {
  return value === '' ? `;${name}` : `;${name}=${value}`
}

const SEMICOLON = 0x3b
const QUOTE = 0x22

/** A chain of a few: a Map would take more memory, as would arrays that grow, and have V8 enter each name in its table of texts to look for it. */
export class ParamChain implements Params {
  #first: Param | null = null
  #last: Param | null = null
  #size = 0

  get size(): number {
    return this.#size
  }

  get(name: string): string | undefined {
    return this.#find(name)?.value
  }

  has(name: string): boolean {
    return this.#find(name) !== null
  }

  add(name: string, value: string): void {
    const param: Param = { name, value, next: null }
    if (this.#last === null) this.#first = param
    else this.#last.next = param
    this.#last = param
    this.#size++
  }

  *[Symbol.iterator](): Iterator<[name: string, value: string]> {
    for (let param = this.#first; param !== null; param = param.next) yield [param.name, param.value]
  }

  #find(name: string): Param | null {
    let param = this.#first
    while (param !== null && param.name !== name) param = param.next
    return param
  }
}

interface Param {
  readonly name: string
  readonly value: string
  next: Param | null
}

function addParam(params: ParamChain, text: string, start: number, end: number): boolean {
  const equals = text.indexOf('=', start)
  const hasValue = equals >= 0 && equals < end
  const nameEnd = hasValue ? equals : end
  const common = nameIn(COMMON, text, start, nameEnd)
  const name = common ?? trimmed(text, start, nameEnd).toLowerCase()
  if ((common === undefined && !isParamText(name)) || params.has(name)) return false
  const value = hasValue ? trimmed(text, equals + 1, end) : ''
  if (hasValue && !isParamValue(value)) return false
  params.add(name, value)
  return true
}

/** Nearly all that come. */
const COMMON: NamesByLength = byLength('lr', 'ob', 'tag', 'user', 'rport', 'branch', 'expires', 'received', 'transport')

export type NamesByLength = readonly (readonly string[])[]

/** The name in `text` from `start` to `end` if it is one of these: found without a text of its own, and told from others at a glance. */
export function nameIn(names: NamesByLength, text: string, start: number, end: number): string | undefined {
  const first = text.charCodeAt(start)
  for (const name of names[end - start] ?? NONE) if (name.charCodeAt(0) === first && text.startsWith(name, start)) return name
  return undefined
}

export function byLength(...names: string[]): NamesByLength {
  const lists: string[][] = []
  for (const name of names) (lists[name.length] ??= []).push(name)
  return lists
}
const NONE: readonly string[] = []

/** Offset of the `;` or end behind the parameter at `at`; -1 for an unclosed quote. */
function paramEnd(text: string, at: number): number {
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === SEMICOLON) return i
    if (code === QUOTE) {
      const end = afterQuoted(text, i)
      if (end < 0) return -1
      i = end - 1
    }
  }
  return text.length
}

function isParamValue(value: string): boolean {
  if (value.charCodeAt(0) === QUOTE) return afterQuoted(value, 0) === value.length
  return isParamText(value)
}

/** Visible characters without `" , ; < >`. */
function isParamText(text: string): boolean {
  if (text.length === 0) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80 && PARAM_TEXT[code] !== 1) return false
  }
  return true
}

const PARAM_TEXT = classOf("!#$%&'()*+-./0123456789:=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~")

function skipBlanks(text: string, at: number): number {
  while (at < text.length && isBlank(text.charCodeAt(at))) at++
  return at
}
