import type { Leg } from '#calls/leg.ts'

/**
 * Says to the phone that talks with an outside `leg` that a minute is left of what may be spent on it. Whoever is outside does not hear it, and
 * nobody is told who is outside himself, is in a room of several, or is on hold.
 */
export function sayLastMinute(leg: Leg): void {
  const { call } = leg
  void Promise.resolve(call.needs.announcer.lastMinute(call.identity)).then((said) => {
    if (said.length === 0 || leg.state === 'ended') return
    for (const part of call.parts) if (part.sayBeside?.(leg, said) === true) return
  })
}
