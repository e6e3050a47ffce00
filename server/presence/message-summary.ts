import type { EventView } from '#sip/events/event-package.ts'

/** Messages in one mailbox. */
export interface MailboxCount {
  readonly unheard: number
  readonly heard: number
  readonly urgentUnheard: number
  readonly urgentHeard: number
}

/** Who knows of mailboxes. */
export interface Mailboxes {
  /** Null: this name has no mailbox. */
  count(tenant: string, name: string): MailboxCount | null
}

/** A system without voicemail: nobody has a mailbox, so no lamp is lit. */
export const noMailboxes: Mailboxes = { count: () => null }

/** A mailbox as application/simple-message-summary (RFC 3842 §5.2). Every document is whole. */
export class MessageSummaryView implements EventView {
  readonly type = 'application/simple-message-summary'
  readonly #account: string
  readonly #count: () => MailboxCount | null
  #told = ''

  constructor(account: string, count: () => MailboxCount | null) {
    this.#account = account
    this.#count = count
  }

  full(): string {
    return (this.#told = this.#now())
  }

  changes(): string | null {
    return this.#now() === this.#told ? null : this.full()
  }

  #now(): string {
    const count = this.#count()
    const lines = [`Messages-Waiting: ${count !== null && count.unheard > 0 ? 'yes' : 'no'}`, `Message-Account: ${this.#account}`]
    if (count !== null) lines.push(`Voice-Message: ${count.unheard}/${count.heard} (${count.urgentUnheard}/${count.urgentHeard})`)
    return `${lines.join('\r\n')}\r\n`
  }
}
