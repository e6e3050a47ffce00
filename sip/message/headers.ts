import { type AuthHeader, parseAuthHeader } from '#sip/message/auth-header.ts'
import {
  type CSeq,
  type EventPackage,
  type MediaType,
  parseCSeq,
  parseEvent,
  parseMediaType,
  parseReason,
  parseRetryAfter,
  type ReasonValue,
} from '#sip/message/fields.ts'
import { elementEnd, listHolds, parseUint, splitList, trimmed } from '#sip/message/grammar.ts'
import * as names from '#sip/message/header-names.ts'
import { type HeaderName, headerName } from '#sip/message/header-names.ts'
import { MAX_UINT32 } from '#sip/message/limits.ts'
import { type NameAddr, parseNameAddr, parseNameAddrs } from '#sip/message/name-addr.ts'
import { oneLine } from '#sip/message/text.ts'
import { parseVia, type Via } from '#sip/message/via.ts'

/** Header lines as a builder takes them. */
export type HeaderLines = readonly (readonly [name: string, value: string])[]

/**
 * The header lines of a message, in order, with typed views that are parsed when first asked for and kept.
 *
 * In a message from `parseMessage` the views `via`, `from`, `to`, `cseq` and `callId` exist and every address header is well formed. In a
 * message built by us a missing one is a bug and throws. All names are understood in any case and in their compact form. Values are
 * unfolded and trimmed; a line break cannot get into them.
 */
export class SipHeaders {
  readonly #names: HeaderName[]
  readonly #values: string[]
  // null: absent or malformed. undefined: not looked at yet.
  #via: Via | null | undefined = undefined
  #from: NameAddr | null | undefined = undefined
  #to: NameAddr | null | undefined = undefined
  #cseq: CSeq | null | undefined = undefined
  #contacts: readonly NameAddr[] | '*' | null | undefined = undefined
  #routes: readonly NameAddr[] | null | undefined = undefined
  #recordRoutes: readonly NameAddr[] | null | undefined = undefined
  #credentials: readonly AuthHeader[] | undefined = undefined

  private constructor(headers: HeaderName[], values: string[]) {
    this.#names = headers
    this.#values = values
  }

  /** Headers from lines. Line breaks in values become spaces. Throws on a name that is no token: only a bug can bring one. */
  static of(lines: HeaderLines): SipHeaders {
    const headers = new SipHeaders([], [])
    headers.addAll(lines)
    return headers
  }

  /** For the parser and copies: takes the arrays over, the values being clean already. */
  static adopt(headers: HeaderName[], values: string[]): SipHeaders {
    return new SipHeaders(headers, values)
  }

  /** An independent copy. */
  copy(): SipHeaders {
    return new SipHeaders(this.#names.slice(), this.#values.slice())
  }

  // Lines

  /** Number of lines. */
  get count(): number {
    return this.#names.length
  }

  /** Name of line `index`, as it is written on the wire. */
  nameAt(index: number): HeaderName | undefined {
    return this.#names[index]
  }

  /** Whole value of line `index`. */
  valueAt(index: number): string | undefined {
    return this.#values[index]
  }

  /** First value: the first element where the header's grammar is a list, else the first line. */
  get(name: string): string | undefined {
    const header = headerName(name)
    const line = header && this.#line(header)
    return line !== undefined && header?.list === true ? trimmed(line, 0, elementEnd(line, 0)) : line
  }

  /** Every value, one per element where the header's grammar is a comma-separated list, else one per line. */
  all(name: string): readonly string[] {
    const header = headerName(name)
    if (header === undefined) return NONE
    const lines = this.#lines(header)
    if (!header.list) return lines
    const [only] = lines
    if (only === undefined) return NONE
    return lines.length === 1 ? splitList(only) : lines.flatMap(splitList)
  }

  /** Every line of a header as it stands, lists not taken apart: for copying and forwarding. */
  lines(name: string): readonly string[] {
    const header = headerName(name)
    return header === undefined ? NONE : this.#lines(header)
  }

  has(name: string): boolean {
    const header = headerName(name)
    return header !== undefined && this.#index(header) >= 0
  }

  // Changing

  /** Adds a line at the end. */
  add(name: string, value: string): void {
    this.#names.push(writable(name))
    this.#values.push(oneLine(value))
    this.#forget()
  }

  /** Adds lines at the end. */
  addAll(lines: HeaderLines): void {
    for (const line of lines) {
      this.#names.push(writable(line[0]))
      this.#values.push(oneLine(line[1]))
    }
    this.#forget()
  }

  /** Adds a line before all others: Via, Route and Record-Route of a forwarding element. */
  prepend(name: string, value: string): void {
    this.#names.unshift(writable(name))
    this.#values.unshift(oneLine(value))
    this.#forgetOf(this.#names[0])
  }

  /** Replaces the first line of that name and keeps further ones; adds the line when there is none. */
  replaceFirst(name: string, value: string): void {
    const index = this.#index(writable(name))
    if (index < 0) return this.add(name, value)
    this.#values[index] = oneLine(value)
    this.#forgetOf(this.#names[index])
  }

  /** Makes this the only line of that name, in the place of the first. */
  set(name: string, value: string): void {
    this.replaceFirst(name, value)
    const header = writable(name)
    for (let i = this.#names.length - 1, first = this.#index(header); i > first; i--) if (same(this.#names[i], header)) this.#cut(i)
  }

  /** Removes every line of that name. */
  remove(name: string): void {
    const header = writable(name)
    for (let i = this.#names.length - 1; i >= 0; i--) if (same(this.#names[i], header)) this.#cut(i)
    this.#forget()
  }

  // Typed views

  /** The top Via. */
  get via(): Via {
    return this.viaOrNull ?? missing('Via')
  }
  get from(): NameAddr {
    return this.fromOrNull ?? missing('From')
  }
  get to(): NameAddr {
    return this.toOrNull ?? missing('To')
  }
  get cseq(): CSeq {
    return this.cseqOrNull ?? missing('CSeq')
  }
  get callId(): string {
    return this.#line(names.CALL_ID) ?? missing('Call-ID')
  }

  /** The same views for messages whose completeness is unknown: null when absent or malformed. */
  get viaOrNull(): Via | null {
    if (this.#via === undefined) this.#via = orNull(this.#parsed(names.VIA, parseVia))
    return this.#via
  }
  get fromOrNull(): NameAddr | null {
    if (this.#from === undefined) this.#from = orNull(this.#parsed(names.FROM, parseNameAddr))
    return this.#from
  }
  get toOrNull(): NameAddr | null {
    if (this.#to === undefined) {
      const text = this.#line(names.TO)
      // In a REGISTER both name the same.
      this.#to = text === undefined ? null : orNull(parseNameAddr(text, this.#from))
    }
    return this.#to
  }
  get cseqOrNull(): CSeq | null {
    if (this.#cseq === undefined) this.#cseq = orNull(this.#parsed(names.CSEQ, parseCSeq))
    return this.#cseq
  }
  /** Every Contact, or `*`; null when one is malformed or `*` is not alone (RFC 3261 §10.2.2). */
  get contactsOrNull(): readonly NameAddr[] | '*' | null {
    if (this.#contacts === undefined) {
      const lines = this.#lines(names.CONTACT)
      this.#contacts = lines.length === 1 && lines[0] === '*' ? '*' : orNull(parseNameAddrs(lines))
    }
    return this.#contacts
  }

  get routesOrNull(): readonly NameAddr[] | null {
    if (this.#routes === undefined) this.#routes = orNull(parseNameAddrs(this.#lines(names.ROUTE)))
    return this.#routes
  }
  get recordRoutesOrNull(): readonly NameAddr[] | null {
    if (this.#recordRoutes === undefined) this.#recordRoutes = orNull(parseNameAddrs(this.#lines(names.RECORD_ROUTE)))
    return this.#recordRoutes
  }

  /** Every Contact, or `*`. */
  get contacts(): readonly NameAddr[] | '*' {
    return this.contactsOrNull ?? NO_ADDRESSES
  }
  /** The first Contact's address; undefined when there is none or it is `*`. */
  get contact(): NameAddr | undefined {
    const contacts = this.contacts
    return contacts === '*' ? undefined : contacts[0]
  }
  get routes(): readonly NameAddr[] {
    return this.routesOrNull ?? NO_ADDRESSES
  }
  get recordRoutes(): readonly NameAddr[] {
    return this.recordRoutesOrNull ?? NO_ADDRESSES
  }
  /** Every address of a header that holds addresses (P-Asserted-Identity, Diversion, Path, Refer-To, ...); none when one is malformed. */
  addresses(name: string): readonly NameAddr[] {
    const header = headerName(name)
    return (header && parseNameAddrs(this.#lines(header))) ?? NO_ADDRESSES
  }
  /** Every Via, the top one first; undefined elements do not occur: a malformed one ends the list. */
  get vias(): readonly Via[] {
    const vias: Via[] = []
    for (const text of this.all('via')) {
      const via = parseVia(text)
      if (via === undefined) break
      vias.push(via)
    }
    return vias
  }

  /** 0 to 255. */
  get maxForwards(): number | undefined {
    return this.#uint(names.MAX_FORWARDS, 255)
  }
  /** Parallel branches that a request may still become (RFC 5393 §5.3.1). */
  get maxBreadth(): number | undefined {
    return this.#uint(names.MAX_BREADTH, MAX_UINT32)
  }
  /** Seconds. */
  get expires(): number | undefined {
    return this.#uint(names.EXPIRES, MAX_UINT32)
  }
  get contentLength(): number | undefined {
    return this.#uint(names.CONTENT_LENGTH, MAX_UINT32)
  }
  get contentType(): MediaType | undefined {
    return this.#parsed(names.CONTENT_TYPE, parseMediaType)
  }
  /** Option tags in lower case. */
  get require(): readonly string[] {
    return this.#tags('require')
  }
  get supported(): readonly string[] {
    return this.#tags('supported')
  }
  /** Methods; they are case-sensitive. */
  get allow(): readonly string[] {
    return this.all('allow')
  }
  /** Whether Require has this option tag: given in lower case, it counts in any. */
  requires(tag: string): boolean {
    return this.#holds(names.REQUIRE, tag)
  }
  /** As `requires`, of Supported. */
  supports(tag: string): boolean {
    return this.#holds(names.SUPPORTED, tag)
  }
  /** Whether Allow has this method, which is case-sensitive. */
  allows(method: string): boolean {
    return this.#lines(names.ALLOW).some((line) => listHolds(line, method))
  }
  /** Reasons, malformed ones left out. */
  get reasons(): readonly ReasonValue[] {
    return this.all('reason').flatMap((text) => parseReason(text) ?? [])
  }
  /** Seconds to wait. */
  get retryAfter(): number | undefined {
    const text = this.get('retry-after')
    return text === undefined ? undefined : parseRetryAfter(text)
  }
  get event(): EventPackage | undefined {
    const text = this.get('event')
    return text === undefined ? undefined : parseEvent(text)
  }
  /** Credentials or challenges in the order they stand, malformed ones left out. */
  auth(name: 'authorization' | 'proxy-authorization' | 'www-authenticate' | 'proxy-authenticate'): readonly AuthHeader[] {
    return name === 'authorization' ? (this.#credentials ??= this.#auth(name)) : this.#auth(name)
  }

  #auth(name: string): readonly AuthHeader[] {
    const headers: AuthHeader[] = []
    for (const text of this.all(name)) {
      const header = parseAuthHeader(text)
      if (header !== undefined) headers.push(header)
    }
    return headers
  }

  #tags(name: string): readonly string[] {
    const tags: string[] = []
    for (const tag of this.all(name)) if (tag !== '') tags.push(tag.toLowerCase())
    return tags
  }

  #holds(header: HeaderName, tag: string): boolean {
    return this.#lines(header).some((line) => listHolds(line.toLowerCase(), tag))
  }

  #uint(header: HeaderName, max: number): number | undefined {
    const text = this.#line(header)
    return text === undefined ? undefined : parseUint(text, max)
  }

  #parsed<T>(header: HeaderName, parse: (text: string) => T | undefined): T | undefined {
    const text = this.#line(header)
    return text === undefined ? undefined : parse(text)
  }

  #line(header: HeaderName): string | undefined {
    const index = this.#index(header)
    return index < 0 ? undefined : this.#values[index]
  }

  #lines(header: HeaderName): readonly string[] {
    let found: string[] | undefined
    for (let i = this.#index(header); i >= 0; i = this.#index(header, i + 1)) {
      const value = this.#values[i] ?? ''
      // Not pushed to an empty list, which would make room for many.
      if (found === undefined) found = [value]
      else found.push(value)
    }
    return found ?? NONE
  }

  #index(header: HeaderName, from = 0): number {
    if (header.isKnown) return this.#names.indexOf(header, from)
    for (let i = from; i < this.#names.length; i++) if (this.#names[i]?.key === header.key) return i
    return -1
  }

  #cut(index: number): void {
    this.#names.splice(index, 1)
    this.#values.splice(index, 1)
  }

  /** Each incoming request has its Via stamped; its other views were parsed to check it and still hold. */
  #forgetOf(header: HeaderName | undefined): void {
    if (header === names.VIA) this.#via = undefined
    else this.#forget()
  }

  #forget(): void {
    this.#via = this.#from = this.#to = this.#cseq = this.#contacts = this.#routes = this.#recordRoutes = this.#credentials = undefined
  }
}

const NONE: readonly string[] = []
const NO_ADDRESSES: readonly NameAddr[] = []

/** Known names are one object each; only unknown ones need their text compared. */
function same(a: HeaderName | undefined, b: HeaderName): boolean {
  return a === b || (!b.isKnown && a?.key === b.key)
}

function orNull<T>(value: T | undefined): T | null {
  return value === undefined ? null : value
}

function writable(name: string): HeaderName {
  const header = headerName(name)
  if (header === undefined) throw new TypeError(`not a header name: ${JSON.stringify(name)}`)
  return header
}

function missing(name: string): never {
  throw new Error(`message without a valid ${name}`)
}
