import type { Trunk } from '#contract/documents/trunk.ts'
import { distance } from '#server/config/distance.ts'
import { asterisk } from '#server/trunks/dialects/asterisk.ts'
import { ciscoCube } from '#server/trunks/dialects/cisco-cube.ts'
import type { Dialect } from '#server/trunks/dialects/dialect.ts'
import { ruAccount } from '#server/trunks/dialects/ru-account.ts'
import { sipconnect } from '#server/trunks/dialects/sipconnect.ts'
import { sipgate } from '#server/trunks/dialects/sipgate.ts'
import { telekomDe } from '#server/trunks/dialects/telekom-de.ts'
import { twilio } from '#server/trunks/dialects/twilio.ts'
import { voipms } from '#server/trunks/dialects/voipms.ts'

/** Every dialect that a trunk may name. */
export const dialects: readonly Dialect[] = [sipconnect, twilio, telekomDe, sipgate, voipms, ruAccount, asterisk, ciscoCube]

const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]))

/** A trunk's document with its dialect's settings where it says nothing itself; the fields within `callerId` and `numberFormat` one by one. */
export function inDialect(trunk: Trunk): Trunk {
  const settings = byName.get(trunk.dialect ?? '')?.settings
  if (settings === undefined) return trunk
  const callerId = { ...settings.callerId, ...trunk.callerId }
  const numberFormat = { ...settings.numberFormat, ...trunk.numberFormat }
  return { ...settings, ...trunk, callerId, numberFormat }
}

/** What is wrong with the name of a dialect, with the one that was probably meant; null when there is such a dialect. */
export function unknownDialect(name: string): string | null {
  if (byName.has(name)) return null
  const names = dialects.map((dialect) => dialect.name)
  const near = names.toSorted((a, b) => distance(name, a) - distance(name, b))[0] ?? ''
  const meant = distance(name, near) <= Math.max(2, near.length / 3) ? `; perhaps ${near}` : ''
  return `there is no dialect ${name}${meant}. Known are ${names.join(', ')}`
}
