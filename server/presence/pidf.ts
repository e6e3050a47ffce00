import type { EventView } from '#sip/events/event-package.ts'
import { xml } from '#server/presence/xml.ts'

/** How it stands with the phones behind one name: `offline` when none is registered. */
export type PresenceState = 'available' | 'ringing' | 'on-the-phone' | 'offline'

/** Presence as application/pidf+xml (RFC 3863), `on-the-phone` in the words of RPID (RFC 4480 §3.2). Every document is whole. */
export class PidfView implements EventView {
  readonly type = 'application/pidf+xml'
  readonly #entity: string
  readonly #state: () => PresenceState
  #told: PresenceState | null = null

  constructor(entity: string, state: () => PresenceState) {
    this.#entity = entity
    this.#state = state
  }

  full(): string {
    const state = this.#state()
    this.#told = state
    const entity = xml(this.#entity)
    const activity = state === 'on-the-phone' ? '<rpid:activities><rpid:on-the-phone/></rpid:activities>' : ''
    const note =
      state === 'ringing' ? '<note xml:lang="en">Ringing</note>' : state === 'on-the-phone' ? '<note xml:lang="en">On the phone</note>' : ''
    return (
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" ' +
      `xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="${entity}">\n` +
      `<tuple id="phone"><status><basic>${state === 'offline' ? 'closed' : 'open'}</basic></status><contact>${entity}</contact>${note}</tuple>\n` +
      `<dm:person id="person">${activity}</dm:person>\n` +
      '</presence>\n'
    )
  }

  changes(): string | null {
    return this.#state() === this.#told ? null : this.full()
  }
}
