import { networkInterfaces } from 'node:os'
import { parseArgs } from 'node:util'
import { systemClock } from '#base/clock.ts'
import { collectWhenIdle } from '#base/idle-collection.ts'
import type { Log } from '#base/log.ts'
import { openGiveBack } from '#media/engine/give-back.ts'
import { EngineRefused, openHost } from '#media/engine/local.ts'
import type { Command, Event } from '#media/engine/protocol.ts'
import { listenOnPath } from '#media/socket/unix-line.ts'

/**
 * The media engine process:
 *
 *     node --max-semi-space-size=2 --single-threaded-gc --expose-gc --disable-warning=ExperimentalWarning media/engine/main.ts --socket PATH --first-port N --last-port N [--address IP]... [--folder PATH] [--country CODE]
 *
 * --single-threaded-gc: collecting garbage on the packet thread itself costs less than waking helpers for a heap this small, and
 * delays fewer packets; V8 takes it on the command line only. --expose-gc: an engine without calls gives memory back. The engine
 * goes on when its server dies, and ends by SIGTERM or when its keeper is gone. What it and the keeper tell each other is in
 * server/keeper/messages.ts: ready, or refused and why (exit code 78, EX_CONFIG of sysexits.h); `--standby`, the order to go, and
 * the order to hand over to an engine that stands by.
 */
const EXIT_REFUSED = 78

const { values } = parseArgs({
  options: {
    socket: { type: 'string' },
    'first-port': { type: 'string' },
    'last-port': { type: 'string' },
    address: { type: 'string', multiple: true },
    folder: { type: 'string', default: '.' },
    country: { type: 'string', default: 'eu' },
    standby: { type: 'boolean', default: false },
  },
})

// Nobody may be reading any more.
process.stdout.on('error', () => undefined)
const log = lineLog({})

try {
  if (values.standby) await toBeCalled()
  await serve()
} catch (fault) {
  if (!(fault instanceof EngineRefused)) throw fault
  refuse(fault.message)
}

async function serve(): Promise<void> {
  const { socket, 'first-port': first, 'last-port': last, address, folder, country } = values
  if (socket === undefined || first === undefined || last === undefined)
    throw new EngineRefused('--socket, --first-port and --last-port are needed')
  const addresses = address ?? (hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'])
  const host = await openHost({ range: { addresses, first: Number(first), last: Number(last) }, folder, country, log })
  const listener = await listenOnPath<Command, Event>(socket, (line) => ({
    message: (command) => host.take(line, command),
    gone: () => host.lost(line),
  }))
  const end = async (): Promise<void> => {
    await host.core.close()
    await listener[Symbol.asyncDispose]()
    process.exit(0)
  }
  /** Audio flows until the recordings are closed and this process is gone; whoever stands by then sets everything up again. */
  const handOver = async (): Promise<void> => {
    await listener[Symbol.asyncDispose]()
    await host.core.putDown()
    process.exit(0)
  }
  process.once('SIGTERM', () => void end())
  process.on('message', (message: unknown) => {
    if (isOf('ping', message)) tell({ kind: 'pong' })
    if (isOf('hand-over', message)) void handOver()
  })
  // The next start takes the calls over; an engine without a keeper would only hold their ports.
  process.once('disconnect', () => void end())
  tell({ kind: 'ready' })
  const collect = openGiveBack()
  if (collect !== null) collectWhenIdle({ clock: systemClock, ...host.core.busyness, collect })
}

/** Everything is loaded; resolves when the engine before is gone. Without a keeper nobody calls any more. */
async function toBeCalled(): Promise<void> {
  const called = Promise.withResolvers<void>()
  const leave = (): void => process.exit(1)
  const onMessage = (message: unknown): void => {
    if (isOf('go', message)) called.resolve()
  }
  process.on('message', onMessage)
  process.once('disconnect', leave)
  tell({ kind: 'standing-by' })
  await called.promise
  process.off('message', onMessage)
  process.off('disconnect', leave)
}

function isOf(kind: string, message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'kind' in message && message.kind === kind
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((each) => each.family === 'IPv6'))
}

function refuse(why: string): void {
  process.exitCode = EXIT_REFUSED
  if (process.send === undefined) process.stderr.write(`${why}\n`)
  tell({ kind: 'refused', why }, () => process.exit(EXIT_REFUSED))
}

function tell(message: object, told: () => void = () => undefined): void {
  if (process.send === undefined) told()
  else process.send(message, undefined, undefined, told)
}

/** Log lines for the keeper, which collects what its children print: one JSON object each. */
function lineLog(fixed: Record<string, unknown>): Log {
  const write = (level: string, msg: string, fields?: Record<string, unknown>): void => {
    process.stdout.write(`${JSON.stringify({ level, time: Date.now(), msg, ...fixed, ...fields })}\n`)
  }
  return {
    debug: () => undefined,
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    child: (fields) => lineLog({ ...fixed, ...fields }),
  }
}
