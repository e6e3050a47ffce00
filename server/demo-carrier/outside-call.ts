import type { Clock } from '#base/clock.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import type { LineOrder } from '#server/demo-carrier/control.ts'
import { LegMedia, type MediaNeeds } from '#calls/leg-media.ts'
import { Party, type Script } from '#server/demo-carrier/party.ts'
import type { SipAgent, Unanswered } from '#sip/agent.ts'
import type { SipResponse } from '#sip/message/message.ts'

/** A call from outside into the exchange. */
export interface OutsideCall {
  /** Whom to call, as dialled, and who calls (E.164). */
  to: string
  from: string
  script: Script
  /** Gives up when nobody has answered after so long. */
  ringMs: number
  headers: readonly (readonly [string, string])[]
  tape: string
}

/** What the caller noticed, in order; `atMs` from the INVITE. */
export type Noticed =
  | { kind: 'progress'; atMs: number; status: number; reason: string; earlyMedia: boolean }
  | { kind: 'answered'; atMs: number }
  /** Something it said came to its end. */
  | { kind: 'played'; atMs: number }
  | { kind: 'refused'; atMs: number; status: number | null; reason: string }
  | { kind: 'ended'; atMs: number; by: 'caller' | 'exchange' }

/** Where the exchange is, and what the carrier calls itself. */
export interface Route {
  exchange: { transport: 'udp' | 'tcp'; address: string; port: number }
  domain: string
}

/**
 * Makes one call from outside and follows it to its end.
 * @returns the tape of what was heard (null if nothing), and our Call-ID, by which the exchange's own records know it.
 */
export function callIn(
  needs: MediaNeeds & { clock: Clock; sip: SipAgent },
  route: Route,
  call: OutsideCall,
  notice: (noticed: Noticed) => void,
): { callId: string; obey: (order: LineOrder) => void; done: Promise<{ tape: string | null }> } {
  const media = LegMedia.open(needs, { peer: route.exchange.address })
  if (media === null) throw new Error('the demo carrier has no media port left')
  const startedAt = needs.clock.now()
  const atMs = (): number => Math.round(needs.clock.now() - startedAt)
  const done = Promise.withResolvers<{ tape: string | null }>()
  const finish = (): void => {
    party.close()
    void party.taped().then((tape) => done.resolve({ tape }))
  }
  const party = new Party(needs, {
    media,
    script: call.script,
    onEnded: (why) => {
      notice({ kind: 'ended', atMs: atMs(), by: why.kind === 'hung-up' ? 'caller' : 'exchange' })
      finish()
    },
  })
  media.attach({
    onPlayed: (_play, why) => {
      if (why === 'ended') notice({ kind: 'played', atMs: atMs() })
    },
  })
  let isOpen = false
  const heard = (response: SipResponse): boolean => {
    const body = bodyOf(response)
    if (body === null || media.accept(body) !== 'ok') return false
    party.tape(call.tape)
    return true
  }
  const uri = `sip:${encodeURIComponent(call.to).replace('%2B', '+')}@${route.exchange.address}:${route.exchange.port}`
  const caller = `<sip:${call.from}@${route.domain}>`
  const invite = needs.sip.invite(
    {
      uri,
      from: caller,
      to: `<${uri}>`,
      via: route.exchange,
      headers: [['P-Asserted-Identity', caller], ...call.headers],
      body: media.offer(),
      timeoutMs: call.ringMs,
    },
    {
      onProvisional: (response) => {
        const earlyMedia = heard(response)
        notice({ kind: 'progress', atMs: atMs(), status: response.status, reason: response.reason, earlyMedia })
      },
      onAnswered: (response, dialog) => {
        dialog.acknowledge()
        heard(response)
        party.tape(call.tape)
        notice({ kind: 'answered', atMs: atMs() })
        isOpen = true
        party.begin(dialog)
      },
      onFailed: (failure: SipResponse | Unanswered) => {
        const [status, reason] = failure.kind === 'response' ? [failure.status, failure.reason] : [null, failure.detail]
        notice({ kind: 'refused', atMs: atMs(), status, reason })
        finish()
      },
      dialog: party.dialogEvents(),
    },
  )
  const obey = (order: LineOrder): void => {
    switch (order.kind) {
      case 'press':
        return party.press(order.digits)
      case 'play':
        return party.say(order.file)
      case 'hang-up':
        return isOpen ? party.hangUp() : invite.cancel()
    }
  }
  return { callId: invite.callId, obey, done: done.promise }
}
