import type { EventView } from '#sip/events/event-package.ts'
import type { SaidPresence } from '#server/presence/read-pidf.ts'
import { xml } from '#server/presence/xml.ts'

/** How it stands with the phones behind one name: `offline` when none is registered. */
export type PresenceState = 'available' | 'ringing' | 'on-the-phone' | 'offline'

/** Presence as application/pidf+xml (RFC 3863), what is done in the words of RPID (RFC 4480 §3.2). Every document is whole. */
export class PidfView implements EventView {
  readonly type = 'application/pidf+xml'
  readonly #entity: string
  readonly #state: () => PresenceState
  readonly #said: () => SaidPresence | null
  #told: string | null = null

  /** `said`: what people say of themselves (RFC 3903); a call that we know of counts more. */
  constructor(entity: string, state: () => PresenceState, said: () => SaidPresence | null = () => null) {
    this.#entity = entity
    this.#state = state
    this.#said = said
  }

  full(): string {
    const [state, said] = [this.#state(), this.#said()]
    this.#told = toldOf(state, said)
    const entity = xml(this.#entity)
    const doing = state === 'on-the-phone' ? 'on-the-phone' : (said?.activity ?? null)
    const activity = doing === null ? '' : `<rpid:activities><rpid:${doing}/></rpid:activities>`
    const words = said?.note ?? (state === 'ringing' ? 'Ringing' : state === 'on-the-phone' ? 'On the phone' : null)
    const note = words === null ? '' : `<note${words === said?.note ? '' : ' xml:lang="en"'}>${xml(words)}</note>`
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
    return toldOf(this.#state(), this.#said()) === this.#told ? null : this.full()
  }
}

function toldOf(state: PresenceState, said: SaidPresence | null): string {
  return JSON.stringify([state, said?.activity, said?.note])
}
