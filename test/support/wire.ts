import { createHash, randomBytes } from 'node:crypto'
import { type Carrier, udpCarrier } from '#test/support/carrier.ts'

/** One SIP message as it was on the wire, taken apart without the code that is under test. */
export interface WireMessage {
  /** Request or status line. */
  first: string
  /** Of a request; empty for a response. */
  method: string
  /** Of a response; 0 for a request. */
  status: number
  /** Values in order, by lower-case name; compact names written out. */
  headers: Map<string, string[]>
  body: string
  text: string
}

const compact: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
}

export function readWire(text: string): WireMessage {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).trim().toLowerCase()
    const full = compact[name] ?? name
    headers.set(full, [...(headers.get(full) ?? []), line.slice(colon + 1).trim()])
  }
  const isResponse = first.startsWith('SIP/2.0 ')
  return {
    ...{ first, headers, text },
    method: isResponse ? '' : (first.split(' ')[0] ?? ''),
    status: isResponse ? Number(first.split(' ')[1]) : 0,
    body: rest.join('\r\n\r\n'),
  }
}

export function header(message: WireMessage, name: string): string {
  return message.headers.get(name.toLowerCase())?.[0] ?? ''
}

const patienceMs = 60_000

/** Sends what it is told and keeps what comes, over UDP unless told otherwise: a SIP peer that obeys no rule by itself. */
export class Wire implements AsyncDisposable {
  readonly address: string
  readonly port: number
  readonly received: WireMessage[] = []
  readonly #carrier: Carrier
  #waiting: { matches: (message: WireMessage) => boolean; resolve: (message: WireMessage) => void }[] = []
  /** What was answered to each request that came, by `sameness`; null: nothing yet. */
  readonly #answers = new Map<string, string | null>()
  /** Looks at each request first; true: it was dealt with. */
  onRequest: (request: WireMessage) => boolean = () => false

  constructor(carrier: Carrier) {
    this.#carrier = carrier
    this.address = carrier.host
    this.port = carrier.port
    carrier.onText = (text) => this.#hear(text)
  }

  static async open(peer: { address: string; port: number }, local = '127.0.0.1', port = 0): Promise<Wire> {
    return new Wire(await udpCarrier(peer, local, port))
  }

  /** `host:port` as it stands in Via and Contact. */
  get at(): string {
    return `${this.address.includes(':') ? `[${this.address}]` : this.address}:${this.port}`
  }

  /** A Via of ours with a new branch. */
  via(): string {
    return `SIP/2.0/${this.#carrier.transport} ${this.at};branch=${newBranch()};rport`
  }

  send(text: string): void {
    this.#carrier.send(text)
  }

  /** The first message not yet taken that matches; waits for it. */
  async next(what: string, matches: (message: WireMessage) => boolean): Promise<WireMessage> {
    const at = this.received.findIndex(matches)
    const found = this.received[at]
    if (found !== undefined) {
      this.received.splice(at, 1)
      return found
    }
    const { promise, resolve, reject } = Promise.withResolvers<WireMessage>()
    const waiting = { matches, resolve }
    this.#waiting.push(waiting)
    const timer = setTimeout(
      () => reject(new Error(`no ${what} came; instead:\n${this.received.map((m) => m.first).join('\n')}`)),
      patienceMs,
    )
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting = this.#waiting.filter((each) => each !== waiting)
    }
  }

  /** Answers a request of the peer. */
  answer(request: WireMessage, status: string, more: readonly string[] = [], body = ''): void {
    const copied = ['via', 'from', 'call-id', 'cseq', 'record-route'].flatMap((name) =>
      (request.headers.get(name) ?? []).map((value) => `${name}: ${value}`),
    )
    const length = `Content-Length: ${Buffer.byteLength(body)}`
    const text = [`SIP/2.0 ${status}`, ...copied, `To: ${taggedTo(request)}`, ...more, length, '', body].join('\r\n')
    this.#answers.set(sameness(request), text)
    this.send(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#carrier.close()
  }

  /** A request that came before, sent again by a peer whom the machine kept from hearing our answer: it is answered again, and concerns nobody. */
  #isRepeated(request: WireMessage): boolean {
    const answered = this.#answers.get(sameness(request))
    if (answered === undefined) this.#answers.set(sameness(request), null)
    else if (answered !== null) this.send(answered)
    return answered !== undefined
  }

  #hear(text: string): void {
    const message = readWire(text)
    if (message.method !== '' && message.method !== 'ACK' && this.#isRepeated(message)) return
    if (message.method !== '' && this.onRequest(message)) return
    const at = this.#waiting.findIndex((each) => each.matches(message))
    const waiting = this.#waiting[at]
    if (waiting === undefined) this.received.push(message)
    else {
      this.#waiting.splice(at, 1)
      waiting.resolve(message)
    }
  }
}

/** What a request has in common with its repetitions alone (RFC 3261 §17.2.3). */
function sameness(request: WireMessage): string {
  return `${header(request, 'via')} ${header(request, 'cseq')}`
}

/** To of a request as it stands in our answers: with a tag that stays the same for all of one call. */
export function taggedTo(request: WireMessage): string {
  const to = header(request, 'to')
  return /;tag=/.test(to) ? to : `${to};tag=${createHash('md5').update(header(request, 'call-id')).digest('hex').slice(0, 8)}`
}

export const newTag = (): string => randomBytes(6).toString('hex')
export const newBranch = (): string => `z9hG4bK${randomBytes(8).toString('hex')}`

/** Credentials for a challenge (RFC 7616 §3.4), of the first algorithm offered; `stated`: what differs from what the challenge asks. */
export function authorization(
  challenge: string,
  as: { user: string; password: string; method: string; uri: string },
  stated: { realm?: string; nc?: number } = {},
): string {
  const field = (name: string): string => new RegExp(`\\b${name}="?([^",]+)"?`, 'i').exec(challenge)?.[1] ?? ''
  const algorithm = field('algorithm') || 'MD5'
  const hash = (text: string): string =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text)
      .digest('hex')
  const realm = stated.realm ?? field('realm')
  const [nonce, cnonce, nc] = [field('nonce'), newTag(), (stated.nc ?? 1).toString(16).padStart(8, '0')]
  const response = hash([hash(`${as.user}:${realm}:${as.password}`), nonce, nc, cnonce, 'auth', hash(`${as.method}:${as.uri}`)].join(':'))
  const parts = [`username="${as.user}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${as.uri}"`, `response="${response}"`]
  return `Digest ${[...parts, `algorithm=${algorithm}`, `cnonce="${cnonce}"`, 'qop=auth', `nc=${nc}`, ...opaqueOf(field('opaque'))].join(', ')}`
}

/** Whether the credentials in a request were made with this password (RFC 7616 §3.4.1, MD5 with qop=auth). */
export function provesPassword(credentials: string, method: string, password: string): boolean {
  const field = (name: string): string => new RegExp(`\\b${name}="?([^",]+)"?`, 'i').exec(credentials)?.[1] ?? ''
  const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
  const a1 = md5(`${field('username')}:${field('realm')}:${password}`)
  return field('response') === md5([a1, field('nonce'), field('nc'), field('cnonce'), 'auth', md5(`${method}:${field('uri')}`)].join(':'))
}

function opaqueOf(opaque: string): string[] {
  return opaque === '' ? [] : [`opaque="${opaque}"`]
}
