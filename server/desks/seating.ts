import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import { groupByPerson, pickupGroupsOf } from '#server/config/compile.ts'

/** Who has logged in where: ids of persons by those of shared phones. */
export type Seats = ReadonlyMap<string, string>

/**
 * A configuration as it is while people have logged in at shared phones: each such phone is theirs. It rings for them, calls as them, is seen as theirs,
 * and may what the first phone of their own may. Its registration, codecs, encryption, and what it shows in an emergency stay its own.
 */
export function seated(config: CompiledConfig, seats: Seats): CompiledConfig {
  const devices = new Map(config.devices)
  for (const [id, person] of seats) {
    const device = devices.get(id)
    if (device?.shared === true) devices.set(id, takenBy(device, person, config))
  }
  const all = [...devices.values()]
  return { ...config, devices, devicesByUsername: new Map(all.map((each) => [each.username, each])), devicesByPerson: groupByPerson(all) }
}

function takenBy(device: CompiledDevice, id: string, config: CompiledConfig): CompiledDevice {
  const person = config.people.get(id)
  if (person === undefined) return device
  const [own] = config.devicesByPerson.get(id) ?? []
  const theirs = [...config.extensions.values()].filter(({ target }) => 'person' in target && target.person === id)
  const extensions = [...theirs, ...device.extensions]
  return {
    ...device,
    person,
    extensions,
    name: person.name,
    callerId: person.callerId ?? own?.callerId ?? config.settled.callerId,
    pickupGroups: pickupGroupsOf(person, extensions),
    ...(own !== undefined && { caps: own.caps, mayShow: own.mayShow, withhold: own.withhold }),
  }
}
