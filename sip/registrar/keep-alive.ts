import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { SipAgent } from '#sip/agent.ts'
import { parseSipUri } from '#sip/message/uri.ts'
import type { Binding } from '#sip/registrar/binding.ts'

/** When and whom a keep-alive asks. */
export interface KeepAliveSettings {
  /** Milliseconds between questions to one contact, scattered by a tenth. Default 25,000: below the life of most NAT mappings (RFC 4787 §4.3). */
  intervalMs?: Millis
}

interface Watch {
  binding: Binding
  timer: Disposable
}

/** Silence after which a question counts as missed. */
const PATIENCE_MS = 8_000

/**
 * Asks registered contacts by OPTIONS whether they are there (RFC 3261 §11): the answer keeps the mapping of an address translation open. Who does
 * not answer stays registered: after an outage of a minute or two it is where it was, and does not know that it would have to register again.
 * Feed it the registrar's events.
 */
export class KeepAlive {
  readonly #clock: Clock
  readonly #random: Random
  readonly #agent: Pick<SipAgent, 'request'>
  readonly #intervalMs: Millis
  readonly #watches = new Map<string, Watch>()

  constructor(needs: { clock: Clock; random: Random; agent: Pick<SipAgent, 'request'> }, settings: KeepAliveSettings = {}) {
    this.#clock = needs.clock
    this.#random = needs.random
    this.#agent = needs.agent
    this.#intervalMs = settings.intervalMs ?? 25_000
  }

  /** Contacts watched. */
  get size(): number {
    return this.#watches.size
  }

  /** A contact was bound or refreshed. */
  bound(binding: Binding): void {
    if (!isTranslated(binding)) {
      this.unbound(binding)
      return
    }
    const known = this.#watches.get(keyOf(binding))
    if (known !== undefined) {
      known.binding = binding
    } else {
      // The first time at any moment: phones that come together, as those of before a restart, are not asked together.
      const first = this.#random.below(this.#intervalMs)
      const watch: Watch = { binding, timer: this.#clock.after(first, () => void this.#ask(watch)) }
      this.#watches.set(keyOf(binding), watch)
    }
  }

  /** A contact is bound no more. */
  unbound(binding: Binding): void {
    if (this.#watches.size === 0) return
    const key = keyOf(binding)
    this.#watches.get(key)?.timer[Symbol.dispose]()
    this.#watches.delete(key)
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.timer[Symbol.dispose]()
    this.#watches.clear()
  }

  async #ask(watch: Watch): Promise<void> {
    const asked = watch.binding
    const us = `<sip:${asked.aor.slice(asked.aor.lastIndexOf('@') + 1)}>`
    await this.#agent.request({
      method: 'OPTIONS',
      uri: asked.contact,
      from: us,
      to: `<sip:${asked.aor}>`,
      via: asked.flow,
      route: asked.path,
      timeoutMs: PATIENCE_MS,
    })
    if (this.#watches.get(keyOf(asked)) !== watch) return
    watch.timer = this.#clock.after(this.#pause(), () => void this.#ask(watch))
  }

  #pause(): Millis {
    const scatter = Math.floor(this.#intervalMs / 10)
    return this.#intervalMs - scatter + this.#random.below(2 * scatter + 1)
  }
}

/** Over UDP, from elsewhere than the contact says. */
export function isTranslated({ contact, flow }: Binding): boolean {
  const uri = parseSipUri(contact)
  if (flow.transport !== 'udp' || uri === undefined) return false
  return uri.host !== flow.remote.address || (uri.port ?? 5060) !== flow.remote.port
}

function keyOf(binding: Binding): string {
  return `${binding.aor} ${binding.contactKey}`
}
