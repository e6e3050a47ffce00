import { flushCompileCache } from 'node:module'
import { type Banner, type ChildMessage, exitRefused, parentMessageOf } from '#server/keeper/messages.ts'

/**
 * How a process is asked to end: `drain` lets calls finish, `now` does not, `hand-over` means that the next life stands by and takes
 * everything over, `orphaned` that the keeper is gone.
 */
export type EndRequest = 'drain' | 'now' | 'hand-over' | 'orphaned'

/**
 * Hears how this process should end: SIGTERM means `drain`, SIGINT `now`; `hand-over` comes over the keeper's channel. `orphaned`: the keeper died; leave at once without
 * ending a call, as the next start takes the calls over. Each may come more than once (a service manager signals every process
 * of a service, beside the keeper) and means no more then. Started without a keeper, only signals count.
 * Disposing stops listening and lets go of the keeper's channel, which otherwise keeps this process alive.
 */
export function onEndRequest(act: (request: EndRequest) => void): Disposable {
  const heard = new Set<EndRequest>()
  const hear = (request: EndRequest) => (): void => {
    if (heard.has(request)) return
    heard.add(request)
    act(request)
  }
  const [onDrain, onNow, onDisconnect] = [hear('drain'), hear('now'), hear('orphaned')]
  process.on('SIGTERM', onDrain)
  process.on('SIGINT', onNow)
  process.on('disconnect', onDisconnect)
  const onHandOver = hear('hand-over')
  const onMessage = (value: unknown): void => {
    if (parentMessageOf(value)?.kind === 'hand-over') onHandOver()
  }
  process.on('message', onMessage)
  return {
    [Symbol.dispose]() {
      process.off('SIGTERM', onDrain)
      process.off('SIGINT', onNow)
      process.off('disconnect', onDisconnect)
      process.off('message', onMessage)
      process.disconnect?.()
    },
  }
}

/**
 * For a process started to take over from another life (`standbyFlag`): says that everything is loaded, and resolves when the other is gone.
 * A keeper that dies meanwhile takes this process with it, which holds nothing yet.
 */
export async function standBy(): Promise<void> {
  const called = Promise.withResolvers<void>()
  const leave = (): void => process.exit(1)
  const onMessage = (value: unknown): void => {
    if (parentMessageOf(value)?.kind === 'go') called.resolve()
  }
  process.on('message', onMessage)
  process.once('disconnect', leave)
  tell({ kind: 'standing-by' })
  await called.promise
  process.off('disconnect', leave)
  process.off('message', onMessage)
}

/** Tells the keeper that this process serves, and answers its pings from now on. Compiled code is kept now, since a process that is killed later cannot. */
export function tellReady(banner?: Banner): void {
  process.on('message', (value: unknown) => {
    if (parentMessageOf(value)?.kind === 'ping') tell({ kind: 'pong' })
  })
  flushCompileCache()
  tell(banner === undefined ? { kind: 'ready' } : { kind: 'ready', banner })
}

/**
 * Ends this process because a person must change something first, with a sentence for that person: the keeper prints it and
 * does not try again when it happens at the first start.
 */
export function refuseToWork(why: string): void {
  process.exitCode = exitRefused
  if (process.send === undefined) process.stderr.write(`${why}\n`)
  tell({ kind: 'refused', why }, () => process.exit(exitRefused))
}

function tell(message: ChildMessage, told?: () => void): void {
  if (process.send === undefined) told?.()
  else process.send(message, undefined, undefined, () => told?.())
}
