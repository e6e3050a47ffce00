import type { Leg } from '#calls/leg.ts'
import type { Body, IncomingRequest } from '#sip/agent.ts'
import type { SipRequest } from '#sip/message/message.ts'

/** A MESSAGE above this may not go over transports without congestion control (RFC 3428 §8), and nobody knows which the last one is. */
export const maxMessageBytes = 1_300

/** Bodies of a MESSAGE that are passed on as they are; a type with a star stands for all of its kind. */
export const passedTypes = ['text/*', 'message/*', 'application/im-iscomposing+xml'] as const

/** What a refused sender may act on: they are about the message itself, not about the way to whom it is for. */
const passedRefusals: ReadonlySet<number> = new Set([403, 405, 406, 413, 415, 488, 501, 513, 603])

/** The body to pass on, or the refusal of one that is too long (513) or of a type that phones of ours need not understand (415). An empty one counts as text. */
export function messageBody(request: SipRequest): Body | { refused: 415 | 513 } {
  const type = request.headers.contentType?.type ?? 'text/plain'
  const fits = passedTypes.some((each) => each === type || (each.endsWith('/*') && type.startsWith(each.slice(0, -1))))
  if (!fits) return { refused: 415 }
  if (request.body.length > maxMessageBytes) return { refused: 513 }
  return { contentType: request.headers.get('Content-Type') ?? 'text/plain', bytes: new Uint8Array(request.body) }
}

/** Says no to a MESSAGE whose body cannot be passed on. */
export function refuseMessage(incoming: IncomingRequest, status: 415 | 513): void {
  incoming.respond(status, undefined, status === 415 ? [['Accept', passedTypes.join(', ')]] : [])
}

/** Whether a phone's refusal says something of the message itself; all others are told to the sender as 480. */
export function isAboutMessage(status: number): boolean {
  return passedRefusals.has(status)
}

/** Hands on what one of two writes to the other during their call (RFC 3428 §4), one message at a time each way (§8). */
export class InCallMessages {
  readonly #waiting = new Set<Leg>()

  /** `to` answers for itself; 480 when it cannot be reached. */
  pass(incoming: IncomingRequest, to: Leg): void {
    const body = messageBody(incoming.request)
    if ('refused' in body) refuseMessage(incoming, body.refused)
    else if (to.dialog === null) incoming.respond(480)
    else if (this.#waiting.has(to)) incoming.respond(480, 'The message before is not answered yet', [['Retry-After', '1']])
    else void this.#ask(to, to.dialog.request('MESSAGE', [], body)).then((status) => incoming.respond(status))
  }

  async #ask(to: Leg, asked: ReturnType<NonNullable<Leg['dialog']>['request']>): Promise<number> {
    this.#waiting.add(to)
    const result = await asked
    this.#waiting.delete(to)
    if (result.kind !== 'response') return 480
    return (result.status >= 200 && result.status < 300) || isAboutMessage(result.status) ? result.status : 480
  }
}
