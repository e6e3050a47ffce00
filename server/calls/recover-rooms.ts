import type { Call } from '#calls/call.ts'
import type { ConferenceStory } from '#calls/conference-member.ts'
import type { MonitorStory } from '#calls/monitor.ts'
import type { EntranceStory } from '#server/conferences/entrance.ts'
import type { Conduct, Inside } from '#server/dialplan/conduct.ts'
import { meet, type ThreeWayStory } from '#server/dialplan/three-way.ts'

/** Goes on with a call that was in a conference, at its door, or held by three; false when its story is another, or cannot go on. */
export function goOnInRoom(call: Call, story: unknown, conduct: Conduct, as: Inside): boolean {
  if (isConference(story)) return conduct.inConference(call, story, as)
  if (!isThreeWay(story)) return false
  const [party, host, target] = story.legs.map((id) => call.legs.find((leg) => leg.id === id))
  if (party === undefined || host === undefined || target === undefined) return false
  meet(call, [party, host, target], story, conduct.rules(as))
  return true
}

function isConference(story: unknown): story is ConferenceStory | EntranceStory {
  return hasKind(story) && (story.kind === 'conference' || story.kind === 'conference-entrance')
}

function isThreeWay(story: unknown): story is ThreeWayStory {
  return hasKind(story) && story.kind === 'three-way' && 'legs' in story && Array.isArray(story.legs)
}

/** A supervisor's call: it goes on when all others do. */
export function isMonitoring(story: unknown): story is MonitorStory {
  return hasKind(story) && story.kind === 'monitor'
}

function hasKind(story: unknown): story is { kind: unknown } {
  return typeof story === 'object' && story !== null && 'kind' in story
}
