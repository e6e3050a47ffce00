import type { Flow, RequestSpec, Unanswered } from '#sip/agent.ts'
import type { Core } from '#sip/agent/core.ts'
import { Exchange } from '#sip/agent/exchange.ts'
import { newRequest, Ways } from '#sip/agent/outside.ts'
import type { SipResponse } from '#sip/message/message.ts'

/** Sends a request outside any dialog and waits for its final answer. */
export async function requestOnce(core: Core, spec: RequestSpec): Promise<SipResponse | Unanswered> {
  const { promise, resolve } = Promise.withResolvers<SipResponse | Unanswered>()
  const callId = spec.callId ?? core.random.hex(16)
  const ways = new Ways(core, spec)
  let seq = spec.cseq ?? 1
  const exchange = new Exchange(
    core,
    {
      build: (flow: Flow) => newRequest(core, spec, { method: spec.method, callId, seq: seq++, flow }),
      path: (way) => ways.path(way),
      isLookedUp: ways.isLookedUp,
      credentials: spec.credentials,
    },
    {
      onResponse: (response) => {
        if (response.status >= 200) resolve(response)
      },
      onFailed: resolve,
    },
  )
  const timer = spec.timeoutMs === undefined ? null : core.wheel.after(spec.timeoutMs, () => giveUp(exchange, resolve))
  exchange.start()
  const result = await promise
  timer?.stop()
  return result
}

function giveUp(exchange: Exchange, resolve: (failure: Unanswered) => void): void {
  exchange.abandon()
  resolve({ kind: 'unanswered', why: 'timeout', detail: 'no final answer in time' })
}
