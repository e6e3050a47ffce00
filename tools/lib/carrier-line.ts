import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LineOrder, Order, Reply } from '#server/demo-carrier/control.ts'
import type { Noticed, OutsideCall } from '#server/demo-carrier/outside-call.ts'
import { Trouble } from '#tools/lib/trouble.ts'

/** A call from outside that the demo carrier makes for us. */
export interface CarrierCall {
  /** Of its SIP dialog: under it the exchange's facts know the call. */
  callId: Promise<string>
  /** The tape of what was heard, when the call is over; null when nothing was. */
  done: Promise<string | null>
  order(order: LineOrder): void
  hangUp(): void
}

/** Has the demo carrier call in from outside; `notice` hears what the caller notices. `away`: what to say when no carrier is there. */
export function callThroughCarrier(
  runFolder: string,
  call: OutsideCall,
  events: { notice: (noticed: Noticed) => void; away: () => Error },
): CarrierCall {
  const started = Promise.withResolvers<string>()
  const done = Promise.withResolvers<string | null>()
  const fail = (fault: Error): void => {
    started.reject(fault)
    done.reject(fault)
  }
  const socket = connect(join(runFolder, 'carrier.sock'))
  const order = (each: Order): void => void socket.write(`${JSON.stringify(each)}\n`)
  socket.on('connect', () => order({ kind: 'call', call }))
  socket.on('error', () => fail(events.away()))
  socket.on('close', () => fail(new Trouble('The demo carrier is gone.')))
  createInterface({ input: socket }).on('line', (line) => {
    const reply = JSON.parse(line) as Reply
    switch (reply.kind) {
      case 'started':
        return started.resolve(reply.callId)
      case 'noticed':
        return events.notice(reply.noticed)
      case 'bad':
        return fail(new Trouble(reply.why))
      case 'done':
        done.resolve(reply.tape)
        socket.end()
    }
  })
  // Whoever waits for one of the two has no need of the other.
  started.promise.catch(() => undefined)
  done.promise.catch(() => undefined)
  return { callId: started.promise, done: done.promise, order, hangUp: () => order({ kind: 'hang-up' }) }
}
