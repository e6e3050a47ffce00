import { createSecretKey, randomBytes, randomInt } from 'node:crypto'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { TimerWheel } from '#base/timer-wheel.ts'
import { Agent } from '#sip/agent/agent.ts'
import { AuthGate } from '#sip/auth/gate.ts'
import { DigestServer } from '#sip/auth/server.ts'
import { GuessThrottle } from '#sip/auth/throttle.ts'
import { Registrar } from '#sip/registrar/registrar.ts'
import { SipTransport, type SipTransportOptions } from '#sip/transport/sip-transport.ts'

/** An agent on real sockets for a company where nobody is known: everybody who asks is challenged. Caller closes. */
export async function openLiveAgent(listen: SipTransportOptions): Promise<{ agent: Agent; transport: SipTransport }> {
  const wheel = new TimerWheel(systemClock)
  const transport = new SipTransport(systemClock, wheel, listen)
  const digest = new DigestServer({ clock: systemClock, key: createSecretKey(randomBytes(32)), algorithms: ['SHA-256', 'MD5'] })
  const agent = new Agent({
    ...{ clock: systemClock, wheel, log: silentLog, transport, product: 'Centrala', isLocal: () => true },
    random: { hex: (bytes) => randomBytes(bytes).toString('hex'), below: (limit) => randomInt(limit) },
    resolver: { resolve: () => Promise.resolve([]) },
    policy: {
      identify: () => ({ kind: 'challenge', realm: 'example.com', user: null }),
      onInvite: (invite) => invite.reject(404),
    },
    gate: new AuthGate(digest, new GuessThrottle({ clock: systemClock, onShutOut: () => undefined })),
    registrar: new Registrar(
      { now: () => systemClock.now(), wall: () => systemClock.wall(), after: (ms, task) => wheel.after(ms, task) },
      {},
    ),
  })
  await agent.start()
  return { agent, transport }
}
