import type { Log } from '#base/log.ts'
import { adoptCall, isKeptCall, lostStory } from '#calls/adopt.ts'
import type { Call } from '#calls/call.ts'
import type { KeptCall } from '#calls/kept.ts'
import type { CallNeeds } from '#calls/needs.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { Conduct } from '#server/dialplan/conduct.ts'
import { converse, type TalkingStory } from '#server/dialplan/conversation.ts'
import { goOnInRoom, isMonitoring } from '#server/calls/recover-rooms.ts'
import type { Monitors } from '#server/monitoring/monitors.ts'
import { isParkedStory } from '#server/features/parking.ts'
import type { FlowStory } from '#server/flows/flow-runner.ts'
import { answeredLeg } from '#server/flows/ringing.ts'
import type { Journal } from '#server/journal/face.ts'

export interface RecoverNeeds {
  calls: CallNeeds
  journal: Journal
  live: LiveCalls
  books: Books
  conduct: Conduct
  monitors: Pick<Monitors, 'restore'>
  log: Log
}

/**
 * After a restart: takes over every call that the journal says was talking, and closes the records of those that cannot be had back.
 * @returns how many were taken over and how many were lost.
 */
export function recoverCalls(needs: RecoverNeeds): { recovered: number; lost: number } {
  const kept = needs.journal.kept('call/')
  const found = new Set<string>()
  let lost = 0
  for (const open of needs.journal.openCalls()) {
    const value = kept.get(`call/${open.call}`)
    const downMs = Math.max(0, needs.calls.clock.wall() - open.lastAt)
    if (isKeptCall(value) && value.legs.length > 0 && needs.books.current(open.tenant) !== null) {
      found.add(open.call)
      goOn(needs, value, downMs)
    } else {
      lost++
      needs.journal.closeLost(open, 'the server stopped while this call was being connected')
      needs.journal.keep(`call/${open.call}`, null)
    }
  }
  for (const call of [...needs.live.all()]) {
    if (isMonitoring(call.story) && !needs.monitors.restore(call, call.story)) drop(call)
  }
  for (const key of kept.keys()) if (!found.has(key.slice('call/'.length))) needs.journal.keep(key, null)
  return { recovered: found.size, lost }
}

function goOn(needs: RecoverNeeds, kept: KeptCall, downMs: number): void {
  const call = adoptCall(needs.calls, kept, downMs)
  needs.live.add(call)
  const config = needs.books.at(call.identity.tenant, call.identity.config)
  const direction = call.identity.asker.kind === 'trunk' ? 'inbound' : 'internal'
  call.limit(Math.max(1_000, kept.startedAt + config.settled.maxCallMinutes * 60_000 - needs.calls.clock.wall()), {
    kind: 'too-long',
    by: 'us',
    detail: `the longest call is ${config.settled.maxCallMinutes} minutes`,
  })
  const as = { config, direction, dialled: '', clock: needs.calls.clock } as const
  const story = kept.story
  if (isTalking(story)) {
    const [one, other] = story.legs.map((id) => call.legs.find((leg) => leg.id === id))
    if (one === undefined || other === undefined) {
      drop(call)
      return
    }
    // Whoever was being asked about a transfer: the two who began go on with each other.
    for (const leg of [...call.legs]) if (leg !== one && leg !== other) leg.hangUp(lostStory)
    converse(call, [one, other], needs.conduct.rules(as))
  } else if (isFlow(story)) {
    const leg = call.legs.find((l) => l.id === story.leg)
    if (leg === undefined) drop(call)
    else needs.conduct.flow(call, answeredLeg(leg), story.run, { ...as, dialled: story.run.dialled }).resume()
  } else if (isMonitoring(story) || goOnInRoom(call, story, needs.conduct, as)) {
    // A supervisor comes along when everybody is there again.
  } else if (!isParkedStory(story) || !needs.conduct.parked(call, story, as)) drop(call)
}

function drop(call: Call): void {
  call.end(lostStory)
}

function isTalking(story: unknown): story is TalkingStory {
  return (
    typeof story === 'object' &&
    story !== null &&
    'kind' in story &&
    story.kind === 'talking' &&
    'legs' in story &&
    Array.isArray(story.legs)
  )
}
function isFlow(story: unknown): story is FlowStory {
  return typeof story === 'object' && story !== null && 'kind' in story && story.kind === 'flow' && 'run' in story && 'leg' in story
}
