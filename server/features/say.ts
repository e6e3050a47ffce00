import type { Leg } from '#calls/leg.ts'
import type { EndpointEvents, PlayItem } from '#media/engine.ts'

/** Plays something to a leg that nobody else talks to; `then`, once, when it was heard or the leg is gone. */
export function say(leg: Leg, items: readonly PlayItem[], then: () => void): void {
  if (items.length === 0 || leg.state === 'ended') {
    then()
    return
  }
  let isOver = false
  const done = (): void => {
    if (isOver) return
    isOver = true
    ended[Symbol.dispose]()
    leg.media.detach(heard)
    then()
  }
  const ended = leg.onEnded.on(done)
  const play = leg.media.endpoint.play(items)
  const heard: EndpointEvents = { onPlayed: (played) => played === play && done() }
  leg.media.attach(heard)
}
