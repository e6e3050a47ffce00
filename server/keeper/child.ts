import { flushCompileCache } from 'node:module'
import { type Banner, type ChildMessage, exitRefused } from '#server/keeper/messages.ts'

/** How a process asks to be ended: `drain` lets calls finish, `now` does not, `orphaned` means that the keeper is gone. */
export type EndRequest = 'drain' | 'now' | 'orphaned'

/**
 * Hears how this process should end: SIGTERM means `drain`, SIGINT `now`. `orphaned`: the keeper died; leave at once without
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
  return {
    [Symbol.dispose]() {
      process.off('SIGTERM', onDrain)
      process.off('SIGINT', onNow)
      process.off('disconnect', onDisconnect)
      process.disconnect?.()
    },
  }
}

/** Tells the keeper that this process serves. Compiled code is kept now, since a process that is killed later cannot. */
export function tellReady(banner?: Banner): void {
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
