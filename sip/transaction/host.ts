import type { Millis } from '#base/clock.ts'
import type { TimerWheel } from '#base/timer-wheel.ts'
import type { Flow } from '#sip/agent.ts'
import type { KeptBytes } from '#sip/kept-bytes.ts'
import type { SipRequest } from '#sip/message/message.ts'
import type { ClientRun } from '#sip/transaction/client.ts'
import type { ServerRun } from '#sip/transaction/server.ts'
import type { Timings } from '#sip/transaction/timings.ts'
import type { ClientEvents, TransactionCounts } from '#sip/transaction/transaction.ts'
import type { Transport } from '#sip/transport/transport.ts'

export type Counts = { -readonly [K in Exclude<keyof TransactionCounts, 'clients' | 'servers' | 'finished'>]: number }

export type Run = ClientRun | ServerRun

/** What running transactions use of the layer that runs them. */
export interface TransactionHost {
  readonly wheel: TimerWheel
  readonly transport: Transport
  readonly counts: Counts
  /** Of answers that wait to be asked for again. */
  readonly answers: KeptBytes
  timingsOf(flow: Flow): Timings
  /** Sends and notes in the trace. False when the flow is gone. */
  send(flow: Flow, bytes: Uint8Array, callId: string): boolean
  /** Runs a request whose Via stands. */
  run(request: SipRequest, branch: string, flow: Flow, events: ClientEvents): ClientRun
  /** Who sent this is no stranger. */
  proved(server: ServerRun): void
  /** From now on it only waits for retransmissions. */
  finished(run: Run): void
  /** It has its final answer, which is sent again whenever the request comes again, for so long, and is no run any more. */
  answered(server: ServerRun, answer: { bytes: Uint8Array; flow: Flow; lingers: Millis }): void
  /** A request that is held was answered: nothing is kept of it. */
  turnedAway(request: SipRequest): void
  forgetClient(client: ClientRun): void
  forgetServer(server: ServerRun): void
  /** The earlier one of merged requests asked for credentials: what follows with the same CSeq is no merged copy. */
  unmerge(server: ServerRun): void
  /** A transaction user threw. */
  fault(error: unknown): void
}
