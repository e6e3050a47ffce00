import { talkOf } from '#calls/join.ts'
import type { Leg } from '#calls/leg.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import type { LiveCalls } from '#server/calls/live-calls.ts'
import { isRinging } from '#server/calls/replacing.ts'
import { phonesOf } from '#server/presence/watched.ts'

/** Where calls of one company are looked for. */
export interface Searched {
  readonly live: Pick<LiveCalls, 'of'>
  readonly tenant: string
  readonly config: CompiledConfig
}

/** What has rung longest at the phones of an extension or user name; null: nothing rings there. */
export function ringingAt(at: Searched, number: string): Leg | null {
  const phones = new Set((phonesOf(at.config, number) ?? []).map(({ id }) => id))
  return longestRinging(at, (device) => phones.has(device.id))
}

/** What has rung longest at a phone that has a pickup group in common with this one. */
export function ringingInGroups(at: Searched, device: CompiledDevice): Leg | null {
  return longestRinging(at, ({ pickupGroups }) => !pickupGroups.isDisjointFrom(device.pickupGroups))
}

function longestRinging({ live, tenant, config }: Searched, isMeant: (device: CompiledDevice) => boolean): Leg | null {
  let [found, since]: [Leg | null, number] = [null, Infinity]
  for (const call of live.of(tenant)) {
    for (const leg of call.legs) {
      const device = leg.endpoint.kind === 'device' ? config.devices.get(leg.endpoint.id) : undefined
      if (device === undefined || !isRinging(leg) || !isMeant(device)) continue
      const rangAt = leg.rangAt ?? Number.MAX_VALUE
      if (rangAt < since) [found, since] = [leg, rangAt]
    }
  }
  return found
}

/**
 * The conversation that somebody wants to bring to this phone: one of the same person at another phone rather than at another place of this one, one
 * that goes on rather than one that is held, and the one that was answered last.
 */
export function conversationOf({ live, tenant, config }: Searched, device: CompiledDevice): Leg | null {
  const rank = (leg: Leg): readonly [boolean, boolean, number] => [leg.endpoint.id !== device.id, !leg.media.isHeld, leg.answeredAt ?? 0]
  let found: Leg | null = null
  for (const call of live.of(tenant)) {
    for (const leg of call.legs) {
      if (!isOf(leg, device, config) || talkOf(leg) === null) continue
      if (found === null || isBefore(rank(found), rank(leg))) found = leg
    }
  }
  return found
}

function isOf({ endpoint }: Leg, device: CompiledDevice, config: CompiledConfig): boolean {
  if (endpoint.kind !== 'device') return false
  if (endpoint.id === device.id) return true
  return device.person !== null && config.devices.get(endpoint.id)?.person?.id === device.person.id
}

function isBefore(one: readonly (boolean | number)[], other: readonly (boolean | number)[]): boolean {
  const at = one.findIndex((value, i) => value !== other[i])
  return at >= 0 && Number(one[at]) < Number(other[at])
}
