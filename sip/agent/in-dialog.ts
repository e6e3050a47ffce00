import type { InviteUsage } from '#sip/agent/invite-usage.ts'
import { ALLOW, inDialog } from '#sip/agent/abilities.ts'
import { answer, tell } from '#sip/agent/core.ts'
import { answerCapabilities } from '#sip/agent/options.ts'
import { IncomingRequestRun } from '#sip/agent/incoming-request.ts'
import { checkRequest } from '#sip/message/check.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/**
 * A request within a confirmed dialog (RFC 3261 §12.2.2). Whoever knows Call-ID and both tags, of which ours is 80 random bits that only
 * the path to the peer has seen, is taken for the peer, from whatever address: phones change theirs when a translation is rebound or
 * a connection is made anew. A number that is not above all before it moves nothing, so that a captured request is worth nothing.
 */
export function receiveInDialog(usage: InviteUsage, transaction: ServerTransaction): void {
  const { core, dialog } = usage
  const { request, flow } = transaction
  const toTag = dialog.localTag
  if (dialog.order(request) !== 'next') {
    answer(core, transaction, 500, { toTag, reason: 'CSeq out of order' })
    return
  }
  const refusal = checkRequest(request, inDialog)
  if (refusal !== null) {
    answer(core, transaction, refusal.status, { toTag, headers: refusal.headers })
    return
  }
  if (dialog.received(request, flow)) core.homecoming.look()
  if (usage.isOver && request.method !== 'BYE') answer(core, transaction, 481, { toTag })
  else serve(usage, transaction)
}

function serve(usage: InviteUsage, transaction: ServerTransaction): void {
  const { core, dialog, events } = usage
  const { request } = transaction
  const toTag = dialog.localTag
  switch (request.method) {
    case 'BYE':
      answer(core, transaction, 200, { toTag })
      usage.endedByPeer(request.headers.get('Reason') ?? null)
      return
    case 'INVITE':
      usage.changed()
      usage.offers.receive(transaction)
      return
    case 'UPDATE':
      usage.changed()
      if (request.body.length > 0) usage.offers.receive(transaction)
      else usage.refreshedByPeer(transaction)
      return
    case 'PRACK':
      usage.receivePrack(transaction)
      return
    case 'OPTIONS':
      usage.changed()
      answerCapabilities(core, transaction, toTag)
      return
    default:
      usage.changed()
      if (events.onRequest === undefined) answer(core, transaction, 405, { toTag, headers: [['Allow', ALLOW]] })
      else ask(usage, new IncomingRequestRun(core, transaction, toTag))
  }
}

function ask({ core, events }: InviteUsage, incoming: IncomingRequestRun): void {
  if (!tell(core, () => events.onRequest?.(incoming))) incoming.respond(500)
}
