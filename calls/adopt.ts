import type { Outcome } from '#contract/outcome.ts'
import { Call } from '#calls/call.ts'
import type { KeptCall, KeptLeg } from '#calls/kept.ts'
import { Leg } from '#calls/leg.ts'
import { LegMedia } from '#calls/leg-media.ts'
import type { CallNeeds } from '#calls/needs.ts'
import { Recording } from '#calls/record.ts'

/**
 * Takes over a call that an earlier life of the server was having: dialogs, media ports and recordings go on as they were. What was
 * not yet talking is lost. The owner goes on with the story.
 */
export function adoptCall(needs: CallNeeds, kept: KeptCall, downMs: number): Call {
  const call = new Call(needs, kept.identity, kept)
  call.tell({ kind: 'call.recovered', downMs })
  for (const leg of kept.legs) adoptLeg(call, leg)
  for (const recording of kept.recordings) {
    const leg = call.legs.find((l) => l.id === recording.leg)
    if (leg !== undefined) Recording.adopt(call, leg, recording)
  }
  call.changed()
  return call
}

function adoptLeg(call: Call, kept: KeptLeg): void {
  const media = LegMedia.adopt(call.needs, kept.media)
  if (media === null) {
    call.needs.log.warn('a leg is not taken over: what is kept of its audio cannot be read', { call: call.id, leg: kept.id })
    return
  }
  const leg = new Leg(call, { role: kept.role, endpoint: kept.endpoint, media, withdraw: () => undefined, kept })
  leg.talk(call.needs.sip.adopt(kept.dialog, leg.dialogEvents()))
}

/** What becomes of an adopted call whose story cannot be told on. */
export const lostStory: Outcome = { kind: 'failed', by: 'us', detail: 'the server restarted while this call was being connected' }

/** Narrows what came back from the journal; a record of another version of this program is refused. */
export function isKeptCall(value: unknown): value is KeptCall {
  return (
    typeof value === 'object' &&
    value !== null &&
    'identity' in value &&
    'legs' in value &&
    Array.isArray(value.legs) &&
    'recordings' in value &&
    Array.isArray(value.recordings) &&
    'startedAt' in value
  )
}
