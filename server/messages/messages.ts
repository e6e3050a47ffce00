import type { Clock } from '#base/clock.ts'
import { isAboutMessage, messageBody, refuseMessage } from '#calls/in-call-message.ts'
import type { NewFact } from '#contract/facts.ts'
import type { Body, Identity, IncomingRequest, SipAgent } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { Binding } from '#sip/registrar/binding.ts'
import type { Gruus } from '#sip/registrar/gruu.ts'
import { byDevice } from '#sip/registrar/reach.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { Book, Books } from '#server/dialplan/books.ts'
import { callerAddress } from '#server/dialplan/directory.ts'
import { phoneOfGruu } from '#server/dialplan/gruu.ts'
import { type DeviceWho, isWho } from '#server/dialplan/who.ts'
import { nameAsked, phonesOf } from '#server/presence/watched.ts'

export interface MessagesNeeds {
  clock: Clock
  books: Books
  gruus: Pick<Gruus, 'find'>
  /** Contacts that can be reached now. */
  contactsOf: (aor: string) => readonly Binding[]
  send: SipAgent['request']
  tell: (fact: NewFact) => void
}

/** A phone may send so many in any stretch of this length. */
const most = 30
const stretchMs = 10_000
/** The sender gives up after 32 s (Timer F); phones that say nothing by then are not there. */
const patienceMs = 8_000

/** Messages between the phones of one company, in page mode (RFC 3428): to every phone of whoever is named, now or not at all. */
export class Messages {
  #needs: MessagesNeeds
  /** Messages of each phone in the current stretch. */
  #sent = new Map<string, number>()
  #stretch = 0

  constructor(needs: MessagesNeeds) {
    this.#needs = needs
  }

  /** A MESSAGE outside dialogs, authenticated. Answered when somebody has taken it, or nobody has. */
  receive(incoming: IncomingRequest, who: Identity): void {
    const book = isWho(who) && who.kind === 'device' ? this.#needs.books.current(who.tenant) : null
    if (book === null || !isWho(who) || who.kind !== 'device') {
      incoming.respond(403)
      return
    }
    const body = messageBody(incoming.request)
    if ('refused' in body) refuseMessage(incoming, body.refused)
    else if (this.#isTooMany(who)) incoming.respond(480, 'Too many messages', [['Retry-After', String(stretchMs / 1000)]])
    else this.#pass(incoming, { who, book, body })
  }

  #pass(incoming: IncomingRequest, message: { who: DeviceWho; book: Book; body: Body }): void {
    const { who, book, body } = message
    const to = this.#addressed(who, book, incoming.request.uri)
    if (to === null) {
      incoming.respond(404)
      return
    }
    const { name, instance } = to
    const others = to.phones.filter(({ id }) => id !== who.device || instance !== null)
    const from = senderOf(book.config, who.device)
    const asked = others.flatMap((phone) => {
      const reached = this.#needs.contactsOf(`${phone.username}@${from.domain}`)
      // Flows of one phone are alternatives (RFC 5626 §7): the one registered last is the likeliest to live.
      const contacts = byDevice(reached).flatMap(([flow]) => flow ?? [])
      const wanted = instance === null ? contacts : contacts.filter((each) => each.instance === instance)
      return wanted.map((binding) => this.#ask(from, phone, binding, body))
    })
    void this.#answer(incoming, asked, others.length > 1).then(({ delivered, sip }) => {
      const { type, bytes } = { type: typeOf(incoming.request), bytes: body.bytes.length }
      this.#needs.tell({ kind: 'message.sent', tenant: who.tenant, device: who.device, to: name, type, bytes, delivered, sip })
    })
  }

  /** Whose phones are named, or which one by its GRUU; null: nobody in this company. */
  #addressed(who: DeviceWho, book: Book, uri: string): Addressed | null {
    const one = phoneOfGruu(this.#needs.gruus, book.config, uri)
    if (one === 'nobody') return null
    if (one !== null) return { name: one.device.username, phones: [one.device], instance: one.instance }
    const name = nameAsked(this.#needs.books, who, uri)?.name
    const phones = name === undefined ? null : phonesOf(book.config, name)
    return name === undefined || phones === null ? null : { name, phones, instance: null }
  }

  /** Sends it to one contact; gives the status that came, 0 for none. */
  async #ask(from: Sender, phone: CompiledDevice, binding: Binding, body: Body): Promise<number> {
    const result = await this.#needs.send({
      method: 'MESSAGE',
      uri: binding.contact,
      from: from.address,
      to: `<sip:${phone.username}@${from.domain}>`,
      via: binding.flow,
      route: binding.path,
      body,
      timeoutMs: patienceMs,
    })
    return result.kind === 'response' ? result.status : 0
  }

  /** The first phone that takes it decides; 202 where it is one of several people's, who need not all have it (RFC 3428 §7). */
  async #answer(
    incoming: IncomingRequest,
    asked: readonly Promise<number>[],
    several: boolean,
  ): Promise<{ delivered: number; sip: number }> {
    let sip = 0
    const taken = (status: number): number => {
      if (sip === 0 && isTaken(status)) incoming.respond((sip = several ? 202 : 200))
      return status
    }
    const statuses = await Promise.all(asked.map(async (each) => taken(await each)))
    if (sip === 0) incoming.respond((sip = refusalOf(statuses)))
    return { delivered: statuses.filter(isTaken).length, sip }
  }

  #isTooMany(who: DeviceWho): boolean {
    const stretch = Math.floor(this.#needs.clock.now() / stretchMs)
    if (stretch !== this.#stretch) this.#sent.clear()
    this.#stretch = stretch
    const key = `${who.tenant}/${who.device}`
    const sent = (this.#sent.get(key) ?? 0) + 1
    this.#sent.set(key, sent)
    return sent > most
  }
}

interface Addressed {
  readonly name: string
  readonly phones: readonly CompiledDevice[]
  /** Only this one of the phone's contacts. */
  readonly instance: string | null
}

/** Who sends, as the receiver's phone shows it. */
interface Sender {
  readonly address: string
  readonly domain: string
}

function senderOf(config: CompiledConfig, id: string): Sender {
  const device = config.devices.get(id)
  const domain = config.settled.sipDomain
  const from = { number: device?.extensions[0]?.number ?? device?.username ?? '', ...(device !== undefined && { name: device.name }) }
  return { address: callerAddress(from, domain), domain }
}

function isTaken(status: number): boolean {
  return status >= 200 && status < 300
}

/** What the phones said of the message itself; silence and talk of credentials are about the way, which the sender is told as 480. */
function refusalOf(statuses: readonly number[]): number {
  return statuses.find(isAboutMessage) ?? 480
}

function typeOf(request: SipRequest): string {
  return request.headers.contentType?.type ?? 'text/plain'
}
