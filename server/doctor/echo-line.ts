import type { CallNeeds } from '#calls/needs.ts'
import { LegMedia, type MediaNeeds } from '#calls/leg-media.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import type { Identity, IncomingInvite } from '#sip/agent.ts'
import { parseSipUri } from '#sip/message/uri.ts'
import type { SipRequest } from '#sip/message/message.ts'

export type EchoLineNeeds = MediaNeeds & Pick<CallNeeds, 'clock'>

const caller: Identity = { id: 'doctor', aor: null }
/** No echo lasts longer, should its caller vanish. */
const longestMs = 15_000

/**
 * The other end of the doctor's echo calls: whoever calls it hears itself. It is known by a name that is made for one call, and that nobody
 * can guess; at any other time there is no such line.
 */
export class EchoLine {
  readonly #needs: EchoLineNeeds
  readonly #expected = new Set<string>()

  constructor(needs: EchoLineNeeds) {
    this.#needs = needs
  }

  /** Opens the line for one call; `user` is whom to call. Disposing closes it. */
  expect(): { readonly user: string } & Disposable {
    const user = `echo-${this.#needs.random.hex(16)}`
    this.#expected.add(user)
    return { user, [Symbol.dispose]: () => void this.#expected.delete(user) }
  }

  /** Who sends a request, when it is an INVITE of the doctor's own; else null. */
  identify(request: SipRequest): Identity | null {
    return this.#expected.size > 0 && request.method === 'INVITE' && this.#expected.has(userOf(request)) ? caller : null
  }

  /** True when the call is the doctor's: it is answered and echoed. */
  takes(incoming: IncomingInvite, who: Identity): boolean {
    if (who !== caller) return false
    // The name is good for one call.
    this.#expected.delete(userOf(incoming.request))
    this.#answer(incoming)
    return true
  }

  #answer(incoming: IncomingInvite): void {
    const media = LegMedia.open(this.#needs, { peer: incoming.flow.remote.address, transport: incoming.flow.transport })
    const mirror = media === null ? null : this.#mirror(media)
    const close = (): void => {
      media?.close()
      mirror?.[Symbol.dispose]()
    }
    const refuse = (status: number, why: string): void => {
      close()
      incoming.reject(status, why)
    }
    if (media === null || mirror === null) return refuse(503, 'No media port is free')
    const offer = bodyOf(incoming.request)
    const answer = offer === null ? { refused: 488, why: 'There is no offer' } : media.answer(offer)
    if ('refused' in answer) return refuse(answer.refused, answer.why)
    const limit = this.#needs.clock.after(longestMs, () => {
      close()
      dialog.bye()
    })
    const dialog = incoming.accept(answer, {
      onReinvite: (_request, reply) => reply.reject(488),
      onEnded: () => {
        limit[Symbol.dispose]()
        close()
      },
    })
  }

  /** A port that sends to itself: what a leg joined with it says comes back to that leg by the whole way of a call between two. */
  #mirror(media: LegMedia): Disposable | null {
    const { endpoint } = media
    const mirror = this.#needs.media.open({}, endpoint, endpoint.local.address.includes(':') ? 'IPv6' : 'IPv4')
    if (mirror === null) return null
    const itself = { address: reachable(mirror.local.address), port: mirror.local.port }
    const plain = { codec: 'PCMA', payloadType: 8, dtmfPayloadType: null, direction: 'sendrecv', ptimeMs: 20, silenceMs: 0 } as const
    mirror.aim({ remote: itself, rtcp: null, accept: { mode: 'exact' }, ...plain })
    endpoint.join(mirror)
    return { [Symbol.dispose]: () => mirror.close() }
  }
}

/** An address of this machine that a wildcard one stands for. */
export function reachable(address: string): string {
  return address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
}

function userOf(request: SipRequest): string {
  return parseSipUri(request.uri)?.user ?? ''
}
