import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import type { TimerWheel, WheelTimer } from '#base/timer-wheel.ts'
import type { Credentials, Flow, KeptDialog, SipPolicy } from '#sip/agent.ts'
import type { DialogTable } from '#sip/agent/dialog-table.ts'
import type { Homecoming } from '#sip/agent/homecoming.ts'
import type { Ringing } from '#sip/agent/ringing.ts'
import type { DigestClient } from '#sip/auth/client.ts'
import type { SessionTimerSettings } from '#sip/dialog/session-timer.ts'
import { buildResponse, type ResponseParts } from '#sip/message/build.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { SipRequest, SipResponse } from '#sip/message/message.ts'
import { formatHostPort } from '#sip/message/host.ts'
import { sipUri } from '#sip/message/uri.ts'
import type { ServerTransaction, Transactions } from '#sip/transaction/layer.ts'
import type { SourceWatch } from '#sip/transport/source-watch.ts'
import { statelessTag } from '#sip/transport/stateless-tag.ts'
import type { Resolver, Transport } from '#sip/transport/transport.ts'

/** What all parts of one agent share. */
export interface Core {
  readonly clock: Clock
  readonly wheel: TimerWheel
  readonly random: Random
  readonly log: Log
  readonly transport: Transport
  readonly transactions: Transactions
  readonly resolver: Resolver
  readonly policy: SipPolicy
  readonly dialogs: DialogTable
  readonly ringing: Ringing
  readonly homecoming: Homecoming
  readonly counts: AgentCounts
  /** Hears who proves himself and who does not. */
  readonly watch: Pick<SourceWatch, 'offends' | 'proves'> | null
  /** T1, T2 of RFC 3261 §17.1.1.1. */
  readonly t1: Millis
  readonly t2: Millis
  /** User-Agent and Server. */
  readonly product: string
  readonly sessions: SessionTimerSettings
  /** No address translation stands between us and `address`. */
  isLocal(address: string): boolean
  /** What we know of the challenges of the peer that `credentials` are for. */
  digestFor(credentials: Credentials): DigestClient
  /** The owner knows another flow to the peer of a dialog, whose own is gone: the device has registered anew. */
  reflow(kept: KeptDialog): Flow | null
}

/** What an agent has refused or repaired since its start; monotonic. */
export interface AgentCounts {
  /** Out-of-dialog requests refused before anybody was asked, by status. */
  refused: Record<number, number>
  challenged: number
  /** Credentials that did not fit. */
  failedAuthentications: number
  /** 2xx to INVITEs that nobody here knows. */
  strays: number
  /** Requests to dialogs that do not exist. */
  unknownDialogs: number
}

/** 80 bits: the local tag is what keeps strangers out of a dialog, so nobody may guess it (RFC 3261 §19.3 asks for 32). */
const TAG_BYTES = 10

export function newTag(core: Core): string {
  return core.random.hex(TAG_BYTES)
}

/**
 * Our Contact as the peer of `flow` can reach it, in angle brackets. `user`: its user part, escaped as needed. `secure`: a SIPS URI, where the
 * request was to a SIPS URI (RFC 3261 §8.1.1.8, §12.1.1).
 */
export function contactFor(core: Core, flow: Flow, user?: string, secure = false): string {
  const { host, port } = core.transport.advertised(flow)
  const whom = user === undefined ? '' : `${sipUri({ user, host: 'x' }).escapedUser}@`
  const scheme = secure ? 'sips' : 'sip'
  const where = `${whom}${formatHostPort(host, port)}`
  // In a URI a secure WebSocket is `ws`, too (RFC 7118 §5.4): that it is secure says its Via.
  const transport = flow.transport === 'wss' ? 'ws' : flow.transport
  return transport === 'udp' ? `<${scheme}:${where}>` : `<${scheme}:${where};transport=${transport}>`
}

/** Parts of an answer beyond what the request determines. */
export interface Answer {
  reason?: string | undefined
  toTag?: string
  headers?: HeaderLines
  body?: { contentType: string; bytes: Uint8Array } | null | undefined
}

/** The response to `request`, with To tag and Server. */
export function answerTo(core: Core, request: SipRequest, status: number, parts: Answer = NO_PARTS): SipResponse {
  return signed(core, buildResponse(request, status, parts.reason, responseParts(parts, parts.toTag ?? newTag(core))), parts)
}

/** Answers a request once and for all. */
export function answer(core: Core, transaction: ServerTransaction, status: number, parts: Answer = NO_PARTS): void {
  const { request, isProved } = transaction
  const toTag = parts.toTag ?? (isProved ? newTag(core) : statelessTag(request.headers))
  transaction.respond(signed(core, buildResponse(request, status, parts.reason, responseParts(parts, toTag)), parts))
}

const NO_PARTS: Answer = {}

function responseParts({ headers, body }: Answer, toTag: string): ResponseParts {
  return { toTag, headers, body: body?.bytes }
}

/** With the lines that stand at the end of each answer. */
function signed(core: Core, response: SipResponse, { body }: Answer): SipResponse {
  response.headers.add('Server', core.product)
  if (body !== null && body !== undefined) response.headers.add('Content-Type', body.contentType)
  return response
}

/** Calls the owner. What it throws is its own fault and must not hurt a transaction, a timer or another call. False if it threw. */
export function tell(core: Core, task: () => void): boolean {
  try {
    task()
    return true
  } catch (fault) {
    core.log.error('a listener of the SIP agent failed', { fault: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) })
    return false
  }
}

/** Runs `task` after what is going on now, so that no event comes before the call that asked for it returns. */
export function later(core: Core, task: () => void): WheelTimer {
  return core.wheel.after(0, task)
}
