import type { Clock } from '#base/clock.ts'
import { bodyOf } from '#calls/leg-dialog.ts'
import { LegMedia, type MediaNeeds } from '#calls/leg-media.ts'
import { Party, silentScript } from '#server/demo-carrier/party.ts'
import type { IncomingInvite } from '#sip/agent.ts'
import { userOfUri } from '#server/dialplan/arrival.ts'

/** What a number outside does when it is called. */
export type Manner = { kind: 'answers'; ringMs: number; play: string | null } | { kind: 'refuses'; status: number; ringMs: number }

/**
 * Numbers outside behave by their last two digits: 86 is busy, 80 rings for ever, 84 does not exist, 03 is full; all others ring for two
 * seconds and answer with a tone.
 */
export function mannerOf(number: string, sound: string | null): Manner {
  switch (number.slice(-2)) {
    case '86':
      return { kind: 'refuses', status: 486, ringMs: 500 }
    case '80':
      return { kind: 'refuses', status: 480, ringMs: 180_000 }
    case '84':
      return { kind: 'refuses', status: 404, ringMs: 0 }
    case '03':
      return { kind: 'refuses', status: 503, ringMs: 0 }
    default:
      return { kind: 'answers', ringMs: 2_000, play: sound }
  }
}

/** Rings one phone outside, and lets it answer in its manner. `onOver`: the line is free again. */
export function ringOutside(
  needs: MediaNeeds & { clock: Clock },
  incoming: IncomingInvite,
  options: { sound: string | null; onOver: () => void },
): Party | null {
  const manner = mannerOf(userOfUri(incoming.request.uri) ?? '', options.sound)
  const media = LegMedia.open(needs, { peer: incoming.flow.remote.address })
  const offer = bodyOf(incoming.request)
  const answer = media === null ? null : offer === null ? media.offer() : media.answer(offer)
  if (media === null || answer === null || 'refused' in answer) {
    media?.close()
    incoming.reject(answer === null ? 503 : 488)
    options.onOver()
    return null
  }
  const party = new Party(needs, { media, script: silentScript, onEnded: options.onOver })
  if (manner.ringMs > 0) incoming.progress(180)
  const timer = needs.clock.after(manner.ringMs, () => {
    if (manner.kind === 'refuses') {
      incoming.reject(manner.status)
      over()
      return
    }
    party.begin(incoming.accept(answer, party.dialogEvents()))
    const { play } = manner
    media.endpoint.play(
      play === null
        ? [
            { kind: 'tone', tone: 'beep', ms: 400 },
            { kind: 'silence', ms: 600 },
          ]
        : [{ kind: 'file', file: play }],
      {
        loop: play === null,
      },
    )
  })
  const over = (): void => {
    timer[Symbol.dispose]()
    party.close()
    options.onOver()
  }
  incoming.onCancelled = over
  return party
}
