import type { EventView } from '#sip/events/event-package.ts'
import { sipUri } from '#sip/message/uri.ts'
import type { LineDialog } from '#server/presence/line-dialogs.ts'
import { xml } from '#server/presence/xml.ts'

/** What a lamp watches. */
export interface WatchedLines {
  /** How the subscriber calls it, a SIP URI. */
  readonly entity: string
  /** Domain in which numbers are told. */
  readonly domain: () => string
  readonly dialogs: () => readonly LineDialog[]
  /** Whether the subscriber may see who is at the other end. */
  readonly showsRemote: () => boolean
}

/** The calls of a line as application/dialog-info+xml (RFC 4235 §4): the whole at first, then what has changed. */
export class DialogInfoView implements EventView {
  readonly type = 'application/dialog-info+xml'
  readonly #lines: WatchedLines
  #told = new Map<string, { dialog: LineDialog; text: string }>()

  constructor(lines: WatchedLines) {
    this.#lines = lines
  }

  full(version: number): string {
    this.#told = this.#now()
    return this.#document(
      version,
      'full',
      [...this.#told.values()].map(({ text }) => text),
    )
  }

  changes(version: number): string | null {
    const before = this.#told
    const now = this.#now()
    const parts = [...now].flatMap(([id, { text }]) => (before.get(id)?.text === text ? [] : [text]))
    for (const [id, { dialog }] of before) if (!now.has(id)) parts.push(ended(dialog))
    this.#told = now
    return parts.length === 0 ? null : this.#document(version, 'partial', parts)
  }

  #now(): Map<string, { dialog: LineDialog; text: string }> {
    return new Map(this.#lines.dialogs().map((dialog) => [dialog.id, { dialog: { ...dialog }, text: this.#element(dialog) }]))
  }

  #document(version: number, state: 'full' | 'partial', parts: readonly string[]): string {
    const head = `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="${version}" state="${state}" entity="${xml(this.#lines.entity)}">`
    return `<?xml version="1.0" encoding="UTF-8"?>\n${head}\n${parts.join('')}</dialog-info>\n`
  }

  #element(dialog: LineDialog): string {
    const shown = this.#lines.showsRemote()
    const callId = shown && dialog.sip !== null ? ` call-id="${xml(dialog.sip)}"` : ''
    const local = `<local><identity>${xml(this.#lines.entity)}</identity>${target(this.#lines.entity, dialog.held)}</local>`
    const remote = shown ? this.#remote(dialog) : ''
    return `<dialog id="${xml(dialog.id)}"${callId} direction="${dialog.direction}"><state>${dialog.state}</state>${local}${remote}</dialog>\n`
  }

  #remote({ remote }: LineDialog): string {
    const host = remote.number === '' ? 'anonymous.invalid' : this.#lines.domain()
    const { escapedUser } = sipUri({ user: remote.number === '' ? 'anonymous' : remote.number, host })
    const display = remote.name === undefined ? '' : ` display="${xml(remote.name)}"`
    const uri = xml(`sip:${escapedUser}@${host}`)
    return `<remote><identity${display}>${uri}</identity><target uri="${uri}"/></remote>`
  }
}

/** A held call renders nothing (RFC 4235 §4.1.6.2, `+sip.rendering` of §5.2). */
function target(uri: string, held: boolean): string {
  return held ? `<target uri="${xml(uri)}"><param pname="+sip.rendering" pval="no"/></target>` : `<target uri="${xml(uri)}"/>`
}

function ended({ id, direction }: LineDialog): string {
  return `<dialog id="${xml(id)}" direction="${direction}"><state>terminated</state></dialog>\n`
}
