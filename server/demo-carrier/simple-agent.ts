import { createSecretKey, randomBytes } from 'node:crypto'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import type { SipPolicy } from '#sip/agent.ts'
import { Agent } from '#sip/agent/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle } from '#sip/auth/throttle.ts'
import type { SipTrace } from '#sip/trace.ts'
import { Locator } from '#sip/location/locator.ts'
import { DnsClient } from '#sip/transport/dns-client.ts'
import { SipTransport, type SipTransportOptions } from '#sip/transport/sip-transport.ts'

/** A SIP agent that is no registrar and knows everybody it talks to: a phone, or the simulated carrier. */
export function simpleAgent(parts: {
  clock: Clock
  random: Random
  log: Log
  listen: SipTransportOptions
  onInvite: SipPolicy['onInvite']
  product: string
  trace?: SipTrace
}): { agent: Agent; transport: SipTransport } {
  const { clock, random, log } = parts
  const wheel = new TimerWheel(clock)
  const transport = new SipTransport(clock, wheel, parts.listen)
  const digest = new DigestServer({ clock, key: createSecretKey(randomBytes(32)), algorithms: ['SHA-256'] })
  const agent = new Agent({
    clock,
    wheel,
    random,
    log,
    transport,
    resolver: new Locator(clock, random, new DnsClient(clock, random)),
    policy: { identify: () => ({ kind: 'trusted', identity: { id: 'anybody', aor: null } }), onInvite: parts.onInvite },
    gate: new AuthGate(digest, new GuessThrottle({ clock, onShutOut: () => undefined })),
    registrar: null,
    product: parts.product,
    isLocal: () => true,
    ...(parts.trace !== undefined && { trace: parts.trace }),
  })
  return { agent, transport }
}
