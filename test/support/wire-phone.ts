import type { Carrier } from '#test/support/carrier.ts'
import { Ear } from '#test/support/ear.ts'
import { authorization, header, newTag, taggedTo, Wire, type WireMessage } from '#test/support/wire.ts'

/** Who a phone is, and where it believes its registrar to be. */
export interface PhoneAccount {
  user: string
  domain: string
  password: string
}

/** What one request says that an honest phone would not. */
export interface Said {
  requestUri?: string
  from?: string
  to?: string
  callId?: string
  /** URI in the Contact, in place of where the phone is. */
  contact?: string
  headers?: readonly string[]
  /** In the credentials. */
  realm?: string
  user?: string
  password?: string
}

/** A phone, on UDP unless told otherwise, written out message by message: registers, calls, is called. What a test says in `Said` it says, right or wrong. */
export class WirePhone implements AsyncDisposable {
  readonly account: PhoneAccount
  readonly wire: Wire
  readonly ear: Ear
  /** Takes every call and lets it end, without being told. */
  answersAlone = false
  /** Behind the URI in our Contact: `;transport=ws`. */
  contactParams = ''
  /** Its audio, as SDP says it from `m=` on, at the address of our ear; null: A-law that ends at the ear. */
  audio: readonly string[] | null = null
  /** The request sent last. */
  #sent = ''
  #cseq = 0

  private constructor(account: PhoneAccount, wire: Wire, ear: Ear) {
    this.account = account
    this.wire = wire
    this.ear = ear
    wire.onRequest = (request) => this.#requested(request)
  }

  static async open(account: PhoneAccount, peer: { address: string; port: number }, address = '127.0.0.1'): Promise<WirePhone> {
    return new WirePhone(account, await Wire.open(peer, address), await Ear.open(address))
  }

  /** Over what `carrier` is; the audio ends at `address`. */
  static async over(account: PhoneAccount, carrier: Carrier, address = '127.0.0.1'): Promise<WirePhone> {
    const phone = new WirePhone(account, new Wire(carrier), await Ear.open(address))
    if (carrier.transport.startsWith('WS')) phone.contactParams = ';transport=ws'
    return phone
  }

  get contact(): string {
    return `<sip:${this.account.user}@${this.wire.at}${this.contactParams}>`
  }
  get aor(): string {
    return `sip:${this.account.user}@${this.account.domain}`
  }

  /** The final answer to a REGISTER, with credentials once asked for. */
  register(said: Said = {}): Promise<WireMessage> {
    const uri = said.requestUri ?? `sip:${this.account.domain}`
    return this.request('REGISTER', uri, {
      to: `<${this.aor}>`,
      ...said,
      headers: [`Contact: ${contactOf(this, said)}`, 'Expires: 300', ...(said.headers ?? [])],
    })
  }

  /** Any request outside a dialog: the final answer, after one challenge. */
  async request(method: string, requestUri: string, said: Said = {}, body = ''): Promise<WireMessage> {
    const callId = said.callId ?? `${newTag()}@${this.wire.address}`
    const tag = newTag()
    const sent = { method, requestUri, callId, tag, said, body }
    const first = await this.#ask(sent, [])
    if (first.status !== 401) return first
    const { user = this.account.user, password = this.account.password, realm } = said
    const credentials = authorization(
      header(first, 'www-authenticate'),
      { user, password, method, uri: requestUri },
      realm === undefined ? {} : { realm },
    )
    return this.#ask(sent, [`Authorization: ${credentials}`])
  }

  /** A call to `dialled` with audio that ends at our ear. Resolves with its final answer, acknowledged. */
  async call(dialled: string, said: Said = {}): Promise<WireCall> {
    const callId = said.callId ?? `${newTag()}@${this.wire.address}`
    const requestUri = said.requestUri ?? `sip:${dialled}@${this.account.domain}`
    const to = said.to ?? `<sip:${dialled}@${this.account.domain}>`
    const answer = await this.request(
      'INVITE',
      requestUri,
      { to, ...said, callId, headers: [`Contact: ${contactOf(this, said)}`, 'Content-Type: application/sdp', ...(said.headers ?? [])] },
      this.sdp(),
    )
    return new WireCall(this, answer)
  }

  /** The next call for us, answered with our audio. */
  async answered(): Promise<WireCall> {
    const invite = await this.wire.next('INVITE', (message) => message.method === 'INVITE')
    this.wire.answer(invite, '180 Ringing', [`Contact: ${this.contact}`])
    this.wire.answer(invite, '200 OK', [`Contact: ${this.contact}`, 'Content-Type: application/sdp'], this.sdp())
    await this.wire.next('ACK', (message) => message.method === 'ACK' && header(message, 'call-id') === header(invite, 'call-id'))
    return new WireCall(this, invite)
  }

  sdp(): string {
    const { address } = this.ear
    const family = address.includes(':') ? 'IP6' : 'IP4'
    const alaw = [`m=audio ${this.ear.port} RTP/AVP 8 101`, 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', 'a=ptime:20']
    return ['v=0', `o=phone 1 1 IN ${family} ${address}`, 's=-', `c=IN ${family} ${address}`, 't=0 0', ...(this.audio ?? alaw), ''].join(
      '\r\n',
    )
  }

  /** Sends a request as given, with the fields that no request does without. */
  sendRequest(method: string, requestUri: string, lines: readonly string[], body = ''): number {
    const seq = method === 'ACK' ? this.#cseq : ++this.#cseq
    this.#sent = [
      `${method} ${requestUri} SIP/2.0`,
      `Via: ${this.wire.via()}`,
      'Max-Forwards: 70',
      ...lines,
      `CSeq: ${seq} ${method}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n')
    this.wire.send(this.#sent)
    return seq
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.wire[Symbol.asyncDispose]()
    await this.ear[Symbol.asyncDispose]()
  }

  async #ask(
    sent: { method: string; requestUri: string; callId: string; tag: string; said: Said; body: string },
    more: readonly string[],
  ): Promise<WireMessage> {
    const { method, requestUri, callId, tag, said, body } = sent
    const from = said.from ?? `<${this.aor}>`
    const to = said.to ?? `<${requestUri}>`
    const seq = this.sendRequest(
      method,
      requestUri,
      [`From: ${from};tag=${tag}`, `To: ${to}`, `Call-ID: ${callId}`, ...(said.headers ?? []), ...more],
      body,
    )
    const isAnswer = (message: WireMessage): boolean =>
      message.status >= 200 && header(message, 'call-id') === callId && header(message, 'cseq') === `${seq} ${method}`
    const answer = await this.#retransmitting(callId, () => this.wire.next(`answer to ${method} ${requestUri}`, isAnswer))
    if (method === 'INVITE') this.#acknowledge(sent, answer, seq)
    return answer
  }

  /** Over UDP a request goes out again until something is heard of it (RFC 3261 §17.1.1.2). */
  async #retransmitting<T>(callId: string, answered: () => Promise<T>): Promise<T> {
    const text = this.#sent
    const heard = (): boolean => this.wire.received.some((message) => message.status > 0 && header(message, 'call-id') === callId)
    const again = (): void => {
      if (!heard()) this.wire.send(text)
    }
    const timers = this.wire.via().includes('/UDP ') ? [500, 1_500, 3_500, 7_500].map((ms) => setTimeout(again, ms)) : []
    try {
      return await answered()
    } finally {
      timers.forEach(clearTimeout)
    }
  }

  #acknowledge(sent: { requestUri: string; callId: string }, answer: WireMessage, seq: number): void {
    const target = answer.status < 300 ? (/<([^>]+)>/.exec(header(answer, 'contact'))?.[1] ?? sent.requestUri) : sent.requestUri
    const via = answer.status < 300 ? this.wire.via() : header(answer, 'via').replace(/;(received|rport)=[^;]*/g, '')
    this.wire.send(
      [
        `ACK ${target} SIP/2.0`,
        `Via: ${via}`,
        'Max-Forwards: 70',
        `From: ${header(answer, 'from')}`,
        `To: ${header(answer, 'to')}`,
        `Call-ID: ${sent.callId}`,
        `CSeq: ${seq} ACK`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    )
  }

  /** What a phone answers without being told. */
  #requested(request: WireMessage): boolean {
    const { method } = request
    if (method === 'NOTIFY' || method === 'OPTIONS') this.wire.answer(request, '200 OK')
    else if (!this.answersAlone) return false
    else if (method === 'INVITE')
      this.wire.answer(request, '200 OK', [`Contact: ${this.contact}`, 'Content-Type: application/sdp'], this.sdp())
    else if (method !== 'ACK') this.wire.answer(request, '200 OK')
    return true
  }
}

function contactOf(phone: WirePhone, said: Said): string {
  return said.contact === undefined ? phone.contact : `<${said.contact}>`
}

/** A call after its final answer, on the phone's side. */
export class WireCall {
  readonly phone: WirePhone
  /** Of a call we made: the answer. Of one we took: the INVITE. */
  readonly message: WireMessage
  readonly callId: string
  readonly #local: string
  readonly #remote: string
  readonly #target: string

  constructor(phone: WirePhone, message: WireMessage) {
    this.phone = phone
    this.message = message
    this.callId = header(message, 'call-id')
    const isOurs = message.method === ''
    this.#local = isOurs ? header(message, 'from') : taggedTo(message)
    this.#remote = header(message, isOurs ? 'to' : 'from')
    this.#target = /<([^>]+)>/.exec(header(message, 'contact'))?.[1] ?? ''
  }

  get status(): number {
    return this.message.status
  }

  /** Where the other side wants its audio, as its SDP says. */
  get audioAt(): { address: string; port: number } {
    const { body } = this.message
    return { address: /^c=IN IP[46] (\S+)/m.exec(body)?.[1] ?? '', port: Number(/^m=audio (\d+)/m.exec(body)?.[1]) }
  }

  /** A request within the dialog; the final answer. */
  async request(method: string, headers: readonly string[] = [], tagged: { local?: string } = {}, body = ''): Promise<WireMessage> {
    const local = tagged.local ?? this.#local
    const seq = this.phone.sendRequest(
      method,
      this.#target,
      [`From: ${local}`, `To: ${this.#remote}`, `Call-ID: ${this.callId}`, `Contact: ${this.phone.contact}`, ...headers],
      body,
    )
    return this.phone.wire.next(
      `answer to ${method}`,
      (message) => message.status >= 200 && header(message, 'call-id') === this.callId && header(message, 'cseq') === `${seq} ${method}`,
    )
  }

  /** Keys, one after the other, by INFO. */
  async press(keys: string): Promise<void> {
    for (const key of keys) {
      const { status } = await this.request('INFO', ['Content-Type: application/dtmf-relay'], {}, `Signal=${key}\r\nDuration=160\r\n`)
      if (status !== 200) throw new Error(`key ${key} was answered ${status}`)
    }
  }

  bye(): Promise<WireMessage> {
    return this.request('BYE')
  }

  /** The peer's BYE, answered. */
  async ended(): Promise<void> {
    const bye = await this.phone.wire.next('BYE', (message) => message.method === 'BYE' && header(message, 'call-id') === this.callId)
    this.phone.wire.answer(bye, '200 OK')
  }
}
