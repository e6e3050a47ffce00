import type { Outcome } from '#contract/outcome.ts'
import type { Call } from '#calls/call.ts'
import type { PlayId } from '#media/engine.ts'
import type { PromptSound } from '#server/flows/flow-runner.ts'
import type { CallerLeg } from '#server/flows/ringing.ts'

/** Tells a caller in words why the call is not made, before anything is charged (183), then refuses it on the wire. */
export function speakRefusal(
  call: Call,
  caller: CallerLeg,
  what: { sounds: readonly PromptSound[] | Promise<readonly PromptSound[]>; outcome: Outcome },
): void {
  const { leg } = caller
  const over = (): void => {
    leg.hangUp(what.outcome)
    call.end(what.outcome)
  }
  const speak = (sounds: readonly PromptSound[]): void => {
    if (leg.state === 'ended') {
      call.end(leg.outcome ?? what.outcome)
      return
    }
    if (sounds.length === 0 || (leg.state !== 'talking' && !caller.early())) {
      over()
      return
    }
    let playing: PlayId | null = null
    leg.onEnded.on((outcome) => call.end(outcome))
    leg.media.attach({
      onPlayed: (play, _why, ms) => {
        if (play !== playing) return
        for (const sound of sounds) {
          call.tell({
            kind: 'prompt.played',
            leg: leg.id,
            prompt: sound.prompt,
            ms: Math.min(ms, sound.ms),
            whole: ms >= sound.ms - 40,
            ...(sound.text !== undefined && { text: sound.text }),
          })
        }
        over()
      },
    })
    playing = leg.media.endpoint.play(sounds.map(({ file }) => ({ kind: 'file', file })))
  }
  if (what.sounds instanceof Promise) what.sounds.then(speak, over)
  else speak(what.sounds)
}
