import type { Body, Flow } from '#sip/agent.ts'
import { type Core, contactFor, newTag } from '#sip/agent/core.ts'
import { type Aim, destinationsOf, openPath, type Path } from '#sip/agent/path.ts'
import { routed } from '#sip/dialog/route.ts'
import { buildRequest } from '#sip/message/build.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { Destination } from '#sip/transport/transport.ts'

/** What requests outside dialogs have in common (RFC 3261 §8.1.1). */
export interface Outside extends Aim {
  readonly from: string
  readonly to: string
  readonly headers?: HeaderLines | undefined
  readonly contactUser?: string | undefined
  readonly body?: Body | undefined
  /** Default 70. */
  readonly maxForwards?: number | undefined
  readonly maxBreadth?: number | undefined
}

/** What changes from attempt to attempt. */
export interface Attempt {
  readonly method: string
  readonly callId: string
  readonly seq: number
  readonly flow: Flow
  /** Our tag; absent: a new one. */
  readonly fromTag?: string
  /** In the place of those that all attempts have in common. */
  readonly headers?: HeaderLines
}

/** A request outside dialogs, without its top Via. Headers of the owner stand in place of ours of the same name. */
export function newRequest(core: Core, spec: Outside, attempt: Attempt): SipRequest {
  const way = routed(spec.uri, spec.route ?? [])
  const headers = attempt.headers ?? spec.headers
  const lines: (readonly [string, string])[] = []
  for (const route of way.routes) lines.push(['Route', route])
  lines.push(
    ['Max-Forwards', String(spec.maxForwards ?? 70)],
    ['From', `${inBrackets(spec.from)};tag=${attempt.fromTag ?? newTag(core)}`],
    ['To', inBrackets(spec.to)],
    ['Call-ID', attempt.callId],
    ['CSeq', `${attempt.seq} ${attempt.method}`],
  )
  if (spec.maxBreadth !== undefined) lines.push(['Max-Breadth', String(spec.maxBreadth)])
  addUnlessGiven(lines, headers, 'Contact', contactFor(core, attempt.flow, spec.contactUser, spec.uri.startsWith('sips:')))
  addUnlessGiven(lines, headers, 'User-Agent', core.product)
  if (headers !== undefined) for (const line of headers) lines.push(line)
  if (spec.body !== undefined) lines.push(['Content-Type', spec.body.contentType])
  return buildRequest({ method: attempt.method, uri: way.uri, headers: lines, body: spec.body?.bytes })
}

/** The ways to where a request outside dialogs goes, one after the other (RFC 3263 §4.3). */
export class Ways {
  readonly #core: Core
  readonly #aim: Aim
  #destinations: Flow | readonly Destination[] | Promise<readonly Destination[]> | null = null

  constructor(core: Core, aim: Aim) {
    this.#core = core
    this.#aim = aim
  }

  /** False where a flow was given, as of a phone that has registered over it. */
  get isLookedUp(): boolean {
    const { via } = this.#aim
    return via === undefined || !('remote' in via)
  }

  path(way: number): Path | Promise<Path> | null {
    const found = (this.#destinations ??= destinationsOf(this.#core, this.#aim, routed(this.#aim.uri, this.#aim.route ?? []).nextHop))
    if (found instanceof Promise) return found.then((destinations) => openPath(this.#core, destinations[way]))
    if ('remote' in found) return way === 0 ? found : null
    return way === 0 || way < found.length ? openPath(this.#core, found[way]) : null
  }
}

/** A bare URI gets brackets, so that its parameters stay its own (RFC 3261 §20). */
function inBrackets(address: string): string {
  return address.includes('<') ? address : `<${address}>`
}

function addUnlessGiven(lines: (readonly [string, string])[], given: HeaderLines | undefined, name: string, value: string): void {
  const key = name.toLowerCase()
  if (given !== undefined) for (const [other] of given) if (other.length === key.length && other.toLowerCase() === key) return
  lines.push([name, value])
}
