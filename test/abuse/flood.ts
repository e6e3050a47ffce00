import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** What an attacker sends, as fast as it is told, from one address. */
export interface FloodSpec {
  transport: 'udp' | 'tcp' | 'tls' | 'wss'
  /** The attacker's own. */
  from: string
  /** Addresses that take turns, of `from` and those after it; over UDP. Default 1. */
  sources?: number
  /** 0: a port that is free. */
  fromPort: number
  to: { address: string; port: number }
  /** Sends to all ports from `to.port` to this one in turn. */
  toLastPort?: number
  /** Sent in turn. Every `{n}` becomes a number that never repeats. */
  messages: readonly string[]
  perSecond: number
  seconds: number
  /** What requests of the victim are answered, over UDP: `200 OK`. Default: nothing. */
  answers?: string
}

/** What went each way, as the attacker saw it. */
export interface FloodTally {
  sent: number
  sentBytes: number
  received: number
  receivedBytes: number
  /** Answers by status code, and requests by method. */
  statuses: Record<string, number>
  /** Connections that had to be made. */
  connections: number
}

/** Where nobody listens. */
export const nowhere = 9

/** How long floods last instead of so many seconds each: TEST_FLOOD_SECONDS=610 for ten minutes of each class. */
export function lasting(usualSeconds: number): number {
  return Number(process.env['TEST_FLOOD_SECONDS'] ?? usualSeconds)
}

/** Floods from a thread of its own, so that it does not disturb who is watched in this one. Resolves when it is over. */
export async function flood(spec: FloodSpec): Promise<FloodTally> {
  const worker = new Worker(new URL('flood-worker.ts', import.meta.url), { workerData: spec })
  const [tally] = (await once(worker, 'message')) as [FloodTally]
  await worker.terminate()
  return tally
}

/** A request that nobody has asked for, complete and well-formed. */
export function stranger(method: string, from: string, to = '2000@survival.example', more = ''): string {
  const body = method === 'INVITE' ? `v=0\r\no=x 1 1 IN IP4 ${from}\r\ns=-\r\nc=IN IP4 ${from}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n` : ''
  return [
    `${method} sip:${to} SIP/2.0`,
    `Via: SIP/2.0/UDP ${from};rport;branch=z9hG4bKf{n}`,
    'Max-Forwards: 70',
    `From: <sip:100@survival.example>;tag=f{n}`,
    `To: <sip:${to}>`,
    `Call-ID: flood-{n}@${from}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:x@${from}>`,
    ...(method === 'SUBSCRIBE' || method === 'NOTIFY' ? ['Event: dialog', 'Subscription-State: active'] : []),
    ...(method === 'INVITE' ? ['Content-Type: application/sdp'] : []),
    `${more}Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}
