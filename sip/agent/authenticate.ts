import type { Identity } from '#sip/agent.ts'
import { answer, type Core } from '#sip/agent/core.ts'
import type { AuthGate } from '#sip/auth/gate.ts'
import type { HeaderLines } from '#sip/message/headers.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/**
 * Who sends a request outside dialogs; null when it has been answered instead: refused by the owner, challenged, or from somebody who
 * guesses. Known and unknown users get the same answers in the same time (RFC 3261 §22.4, §26.3.2.2).
 */
export function authenticate(core: Core, gate: AuthGate, transaction: ServerTransaction): Identity | null {
  const { request, flow } = transaction
  const identified = core.policy.identify(request, flow)
  if (identified.kind === 'trusted') {
    transaction.proved()
    return identified.identity
  }
  if (identified.kind === 'refuse') {
    core.watch?.offends(flow.remote, 'pointless')
    const { status, reason, retryAfter } = identified
    answer(core, transaction, status, { reason, headers: retryAfter === undefined ? [] : [['Retry-After', String(retryAfter)]] })
    return null
  }
  const admission = gate.admit(request, flow.remote.address, identified.realm, identified.user)
  switch (admission.kind) {
    case 'accepted':
      transaction.proved()
      core.watch?.proves(flow.remote)
      return identified.user?.identity ?? null
    case 'challenge':
      core.counts.challenged++
      core.watch?.offends(flow.remote, admission.cause === 'wrong' ? 'guess' : 'unproved')
      if (admission.cause === 'wrong' || admission.cause === 'replayed') core.counts.failedAuthentications++
      answer(core, transaction, 401, { headers: admission.headers })
      return null
    case 'shut-out':
      return refuseGuess(core, transaction, admission.headers)
  }
}

/** No Retry-After: it would tell a guesser when its guesses count again (RFC 3261 §26.3.2.2). */
function refuseGuess(core: Core, transaction: ServerTransaction, headers: HeaderLines): null {
  core.watch?.offends(transaction.flow.remote, 'guess')
  core.counts.failedAuthentications++
  answer(core, transaction, 401, { headers })
  return null
}
