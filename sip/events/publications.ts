import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { IncomingRequest } from '#sip/agent.ts'

/** A kind of state that others may publish (RFC 3903 §4): one event package's. */
export interface PublishedKind<T> {
  /** As in Event: `presence`. */
  readonly event: string
  /** Body types that can be read. */
  readonly types: readonly string[]
  /** Seconds of life: below `least` a wish is refused, `usual` is for who names none, longer ones are shortened to `most`. */
  readonly expires: { readonly least: number; readonly usual: number; readonly most: number }
  /** Null: it cannot be read. Total. */
  read(text: string): T | null
}

/** A publication as plain data that outlives the process. */
export interface KeptPublication {
  readonly id: string
  readonly event: string
  /** Who has published it, unique over all groups (a phone). */
  readonly publisher: string
  /** The entity-tag by which it is refreshed, changed or removed. */
  readonly etag: string
  readonly text: string
  /** Wall time, milliseconds since the Unix epoch. */
  readonly expiresWall: number
}

export interface PublicationsNeeds {
  readonly clock: Clock
  readonly random: Random
  /** The latest value under an id survives the process; null removes it. */
  keep(id: string, kept: KeptPublication | null): void
  /** What somebody says of itself has changed. */
  changed(event: string, publisher: string): void
}

/** Publications of one publisher that live at once: a phone that starts again forgets its own without a word, so the oldest gives way. */
const PER_PUBLISHER = 4
const MOST_TEXT_BYTES = 16_384

interface Publication<T> {
  readonly id: string
  readonly publisher: string
  etag: string
  text: string
  value: T
  expiresAt: number
  timer: Disposable
}

/** An event state compositor (RFC 3903 §6): takes, refreshes, changes, removes and forgets what is published, by entity-tags. */
export class Publications<T> {
  readonly #needs: PublicationsNeeds
  readonly #kind: PublishedKind<T>
  /** By publisher, what was said last at the end. */
  readonly #all = new Map<string, Publication<T>[]>()

  constructor(needs: PublicationsNeeds, kind: PublishedKind<T>) {
    this.#needs = needs
    this.#kind = kind
  }

  /** What a publisher says of itself: what it said last; null: nothing. */
  of(publisher: string): T | null {
    return this.#all.get(publisher)?.at(-1)?.value ?? null
  }

  /** A PUBLISH for this kind of state from who may publish it, answered before this returns. */
  receive(incoming: IncomingRequest, publisher: string): void {
    const { headers, body } = incoming.request
    const { least, usual, most } = this.#kind.expires
    const asked = headers.expires ?? usual
    if (asked > 0 && asked < least) return incoming.respond(423, undefined, [['Min-Expires', String(least)]])
    const seconds = Math.min(asked, most)
    const etag = headers.get('SIP-If-Match')?.trim()
    const known = etag === undefined ? undefined : this.#all.get(publisher)?.find((each) => each.etag === etag)
    // Of another publisher, expired, or never given out: all the same (§6 step 3).
    if (etag !== undefined && known === undefined) return incoming.respond(412)
    if (body.length === 0) {
      if (known === undefined) incoming.respond(400, 'Nothing is published')
      else this.#renewed(incoming, known, seconds)
      return
    }
    const read = this.#read(incoming)
    if (read === null) return
    if (known === undefined) this.#began(incoming, { publisher, ...read }, seconds)
    else {
      Object.assign(known, read)
      this.#last(known)
      this.#renewed(incoming, known, seconds)
      if (seconds > 0) this.#needs.changed(this.#kind.event, publisher)
    }
  }

  /** What a request says; null when it was refused. */
  #read(incoming: IncomingRequest): { text: string; value: T } | null {
    const { headers, body } = incoming.request
    const type = headers.contentType?.type
    if (type === undefined || !this.#kind.types.includes(type)) incoming.respond(415, undefined, [['Accept', this.#kind.types.join(', ')]])
    else if (body.length > MOST_TEXT_BYTES) incoming.respond(413)
    else {
      const text = Buffer.from(body).toString('utf8')
      const value = this.#kind.read(text)
      if (value !== null) return { text, value }
      incoming.respond(400, `This is no ${type}`)
    }
    return null
  }

  /** Forgets what was published by who may publish no more. */
  examine(isKnown: (publisher: string) => boolean): void {
    for (const [publisher, list] of this.#all) if (!isKnown(publisher)) for (const each of [...list]) this.#remove(each)
  }

  /** Goes on with what an earlier process life had taken; silently. */
  adopt(kept: readonly KeptPublication[]): void {
    for (const { id, publisher, etag, text, expiresWall } of kept) {
      const left = expiresWall - this.#needs.clock.wall()
      const value = this.#kind.read(text)
      if (left <= 0 || value === null) this.#needs.keep(id, null)
      else this.#add({ id, publisher, etag, text, value }, Math.min(left, this.#kind.expires.most * 1000))
    }
  }

  /** Stops every timer; nothing is told. */
  close(): void {
    for (const list of this.#all.values()) for (const each of list) each.timer[Symbol.dispose]()
    this.#all.clear()
  }

  #began(incoming: IncomingRequest, said: { publisher: string; text: string; value: T }, seconds: number): void {
    const etag = this.#needs.random.hex(8)
    if (seconds > 0) {
      const [oldest, ...others] = this.#all.get(said.publisher) ?? []
      if (oldest !== undefined && others.length + 1 >= PER_PUBLISHER) this.#forget(oldest)
      this.#keep(this.#add({ ...said, id: this.#needs.random.hex(8), etag }, seconds * 1000))
    }
    this.#accepted(incoming, etag, seconds)
    if (seconds > 0) this.#needs.changed(this.#kind.event, said.publisher)
  }

  /** Every success has an entity-tag of its own; the one before is worth nothing any more (§6 step 8). */
  #renewed(incoming: IncomingRequest, publication: Publication<T>, seconds: number): void {
    publication.etag = this.#needs.random.hex(8)
    if (seconds === 0) this.#remove(publication)
    else {
      publication.expiresAt = this.#needs.clock.now() + seconds * 1000
      publication.timer[Symbol.dispose]()
      publication.timer = this.#expiry(seconds * 1000, () => publication)
      this.#keep(publication)
    }
    this.#accepted(incoming, publication.etag, seconds)
  }

  #accepted(incoming: IncomingRequest, etag: string, seconds: number): void {
    incoming.respond(200, undefined, [
      ['Expires', String(seconds)],
      ['SIP-ETag', etag],
    ])
  }

  #add(said: Omit<Publication<T>, 'expiresAt' | 'timer'>, ms: number): Publication<T> {
    const publication: Publication<T> = { ...said, expiresAt: this.#needs.clock.now() + ms, timer: this.#expiry(ms, () => publication) }
    const list = this.#all.get(said.publisher)
    if (list === undefined) this.#all.set(said.publisher, [publication])
    else list.push(publication)
    return publication
  }

  #expiry(ms: number, of: () => Publication<T>): Disposable {
    return this.#needs.clock.after(ms, () => this.#remove(of()))
  }

  /** Said anew: it counts before what else the publisher says. */
  #last(publication: Publication<T>): void {
    const list = this.#all.get(publication.publisher) ?? []
    list.push(...list.splice(list.indexOf(publication), 1))
  }

  #keep({ id, publisher, etag, text, expiresAt }: Publication<T>): void {
    const expiresWall = this.#needs.clock.wall() + expiresAt - this.#needs.clock.now()
    this.#needs.keep(id, { id, event: this.#kind.event, publisher, etag, text, expiresWall })
  }

  #remove(publication: Publication<T>): void {
    this.#forget(publication)
    this.#needs.changed(this.#kind.event, publication.publisher)
  }

  #forget(publication: Publication<T>): void {
    publication.timer[Symbol.dispose]()
    const list = this.#all.get(publication.publisher) ?? []
    const others = list.filter((each) => each !== publication)
    if (others.length === 0) this.#all.delete(publication.publisher)
    else this.#all.set(publication.publisher, others)
    this.#needs.keep(publication.id, null)
  }
}
