import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import { Ring } from '#calls/ring.ts'
import type { CompiledConfig } from '#server/config/compiled.ts'

/** How long the other phones ring while the conversation goes on. */
const flipMs = 30_000

/**
 * Rings the other phones of the person whose leg talks, or the one named; who answers goes on in its place, and until then nothing changes for
 * either party. A text says why that cannot be.
 */
export function flipTo(leg: Leg, config: CompiledConfig, device: string | null): string | null {
  const talk = talkOf(leg)
  const person = config.devices.get(leg.endpoint.id)?.person
  if (talk === null || leg.endpoint.kind !== 'device' || person === undefined || person === null) return 'The phone that talks is nobody’s.'
  const own = (config.devicesByPerson.get(person.id) ?? []).filter(({ id }) => id !== leg.endpoint.id && (device === null || id === device))
  if (own.length === 0) return device === null ? 'They have no other phone.' : `${device} is not another phone of theirs.`
  const targets = own.map(({ id }) => ({ kind: 'device' as const, id, label: leg.endpoint.number }))
  const plan = { steps: [{ targets, ms: flipMs }], ...(leg.role === 'caller' && { as: 'caller' as const }) }
  const { call } = leg
  let gone: Disposable | null = null
  const ring = new Ring(call, plan, talk.other, {
    onRinging: () => undefined,
    onAnswered: (by) => {
      gone?.[Symbol.dispose]()
      const now = talkOf(leg)
      if (now === null) {
        by.hangUp({ kind: 'cancelled', by: 'us', detail: 'the call went on elsewhere' })
        return
      }
      call.tell({ kind: 'call.flipped', leg: leg.id, by: by.id })
      now.bridge.replace(leg, by)
    },
    onUnanswered: () => gone?.[Symbol.dispose](),
  })
  gone = leg.onEnded.on((outcome) => ring.close(outcome))
  return null
}
