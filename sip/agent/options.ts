import { ACCEPT, ALLOW, SUPPORTED } from '#sip/agent/abilities.ts'
import { answer, type Core } from '#sip/agent/core.ts'
import type { ServerTransaction } from '#sip/transaction/layer.ts'

/** Answers an OPTIONS outside dialogs the way an INVITE would be met now (RFC 3261 §11.2). `drainingFor`: seconds, when no calls are taken. */
export function receiveOptions(core: Core, transaction: ServerTransaction, methods: readonly string[], drainingFor: number | null): void {
  const headers = [
    ['Allow', methods.join(', ')],
    ['Accept', ACCEPT],
    ['Accept-Encoding', 'identity'],
    ['Supported', SUPPORTED],
  ] as const
  if (drainingFor === null) answer(core, transaction, 200, { headers })
  else answer(core, transaction, 503, { headers: [['Retry-After', String(drainingFor)]] })
}

/** Answers an OPTIONS within a dialog. */
export function answerCapabilities(core: Core, transaction: ServerTransaction, toTag: string): void {
  const headers = [
    ['Allow', ALLOW],
    ['Accept', ACCEPT],
    ['Supported', SUPPORTED],
  ] as const
  answer(core, transaction, 200, { toTag, headers })
}
