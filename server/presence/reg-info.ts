import type { Clock } from '#base/clock.ts'
import { type Binding, remainingSeconds } from '#sip/registrar/binding.ts'
import type { EventView } from '#sip/events/event-package.ts'
import { xml } from '#server/presence/xml.ts'

/** Where one address is registered, as application/reginfo+xml (RFC 3680 §5). Every document is whole: few phones have many contacts. */
export class RegInfoView implements EventView {
  readonly type = 'application/reginfo+xml'
  readonly #clock: Clock
  readonly #aor: string
  readonly #bindings: () => readonly Binding[]
  #told = ''

  constructor(clock: Clock, aor: string, bindings: () => readonly Binding[]) {
    this.#clock = clock
    this.#aor = aor
    this.#bindings = bindings
  }

  full(version: number): string {
    const bindings = this.#bindings()
    this.#told = gist(bindings)
    const state = bindings.length === 0 ? 'terminated' : 'active'
    return (
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
      `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="full">\n` +
      `<registration aor="${xml(`sip:${this.#aor}`)}" id="${xml(this.#aor)}" state="${state}">\n` +
      bindings.map((binding) => this.#contact(binding)).join('') +
      '</registration>\n</reginfo>\n'
    )
  }

  changes(version: number): string | null {
    return gist(this.#bindings()) === this.#told ? null : this.full(version)
  }

  #contact(binding: Binding): string {
    const { contactKey, contact, callId, cseq, q, instance } = binding
    const expires = remainingSeconds(binding, this.#clock.now())
    const attributes = `id="${xml(contactKey)}" state="active" event="registered" expires="${expires}" q="${q}" callid="${xml(callId)}" cseq="${cseq}"`
    const unknown = instance === null ? '' : `<unknown-param name="+sip.instance">${xml(`"${instance}"`)}</unknown-param>`
    return `<contact ${attributes}><uri>${xml(contact)}</uri>${unknown}</contact>\n`
  }
}

/** Who is there, without the life they have left: a refresh is no news. */
function gist(bindings: readonly Binding[]): string {
  return bindings.map(({ contactKey, contact, reachable }) => `${contactKey} ${contact} ${reachable}`).join('\n')
}
