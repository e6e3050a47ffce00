import { flushCompileCache } from 'node:module'
import { type Banner, type ChildMessage, exitRefused } from '#server/keeper/messages.ts'

/** How a process asks to be ended: `drain` lets calls finish, `now` does not, `orphaned` means that the keeper is gone. */
export type EndRequest = 'drain' | 'now' | 'orphaned'

/**
 * Hears how this process should end. The first SIGTERM means `drain`, a further one `now`. `orphaned`: the keeper died; leave
 * at once without ending a call, as the next start takes the calls over. Started without a keeper, only signals count.
 * Disposing stops listening and lets go of the keeper's channel, which otherwise keeps this process alive.
 */
export function onEndRequest(act: (request: EndRequest) => void): Disposable {
  let asked = false
  const onSignal = (): void => {
    act(asked ? 'now' : 'drain')
    asked = true
  }
  const onDisconnect = (): void => act('orphaned')
  process.on('SIGTERM', onSignal)
  process.on('disconnect', onDisconnect)
  return {
    [Symbol.dispose]() {
      process.off('SIGTERM', onSignal)
      process.off('disconnect', onDisconnect)
      if (process.connected) process.disconnect()
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
