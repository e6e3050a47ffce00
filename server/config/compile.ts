import type { ConfigDocument, DocumentOf } from '#contract/documents/document.ts'
import type { Company, TonePlan } from '#contract/documents/company.ts'
import type { HotDesk } from '#contract/documents/features.ts'
import type { Device, Extension } from '#contract/documents/people.ts'
import type { CompiledConfig, CompiledDevice, CompiledEmergency, CompiledHotDesk, SettledCompany } from '#server/config/compiled.ts'
import { compileFeatures } from '#server/config/features.ts'
import { codecsOf } from '#server/config/codecs.ts'
import { compileConference, compileMonitoring } from '#server/config/compile-conference.ts'
import { compileOutbound } from '#server/config/compile-outbound.ts'
import { compileRecordings } from '#server/config/recordings.ts'
import { ofKind } from '#server/config/of-kind.ts'
import { compileTrunk } from '#server/config/compile-trunk.ts'

/** What compiling needs beside the documents. */
export interface CompileOptions {
  /** Length in milliseconds of each prompt whose sound is there, by id. */
  promptMs?: ReadonlyMap<string, number>
}

/**
 * Compiles documents that have validated as a whole; the result shares them and must not be changed, nor they. Throws a TypeError when they
 * have no company document: nothing else can go wrong.
 */
export function compile(documents: readonly ConfigDocument[], options: CompileOptions = {}): CompiledConfig {
  const company = ofKind(documents, 'company')[0]
  if (company === undefined) throw new TypeError('a configuration without a company document was compiled')
  const numbersById = byId(ofKind(documents, 'number'))
  const extensions = ofKind(documents, 'extension')
  const people = byId(ofKind(documents, 'person'))
  const settled = settle(company, numbersById)
  const extensionsOf = extensionFinder(extensions)
  const outbound = ofKind(documents, 'outbound')[0]
  const deviceCaps = outbound?.caps?.device ?? {}
  const devices = ofKind(documents, 'device').map(
    (device): CompiledDevice => compileDevice(device, { people, extensionsOf, settled, deviceCaps, codecs: company.codecs }),
  )
  const owned = new Set([...numbersById.values()].map((n) => n.number))
  return {
    company,
    settled,
    people,
    devices: byId(devices),
    devicesByUsername: new Map(devices.map((d) => [d.username, d])),
    devicesByPerson: groupByPerson(devices),
    numbers: new Map([...numbersById.values()].map((n) => [n.number, n])),
    numbersById,
    extensions: new Map(extensions.map((e) => [e.number, e])),
    extensionsById: byId(extensions),
    hours: byId(ofKind(documents, 'hours')),
    ringGroups: byId(ofKind(documents, 'ring-group')),
    prompts: byId(ofKind(documents, 'prompt')),
    flows: byId(ofKind(documents, 'flow')),
    callerLists: byId(ofKind(documents, 'caller-list')),
    promptMs: options.promptMs ?? new Map(),
    trunks: byId(ofKind(documents, 'trunk').map((trunk) => compileTrunk(trunk, settled.callerId, owned, company.codecs))),
    outbound: outbound === undefined ? null : compileOutbound(outbound),
    emergency: compileEmergency(documents, numbersById, settled.callerId),
    recordings: compileRecordings(documents),
    conferences: byId(ofKind(documents, 'conference').map((conference) => compileConference(conference, extensions))),
    monitoring: compileMonitoring(documents, extensions),
  }
}

function byId<T extends { readonly id: string }>(things: readonly T[]): Map<string, T> {
  return new Map(things.map((thing) => [thing.id, thing]))
}

function settle(company: Company, numbers: ReadonlyMap<string, DocumentOf<'number'>>): SettledCompany {
  const main = company.mainNumber === undefined ? undefined : numbers.get(company.mainNumber)
  const domains = company.sipDomains.map((domain) => domain.toLowerCase())
  return {
    tones: company.tones ?? tonesOfCountry.get(company.country) ?? 'eu',
    maxCallMinutes: company.maxCallMinutes ?? 240,
    callerId: company.callerId ?? main?.number ?? numbers.values().next().value?.number ?? null,
    signing: company.signing ?? null,
    musicOnHold: company.musicOnHold ?? [],
    features: compileFeatures(company, main),
    hotDesk: compileHotDesk(company.hotDesk ?? {}),
    sipDomain: domains[0] ?? 'localhost',
    sipDomains: new Set(domains),
  }
}

function compileHotDesk({ loggedOut = 'internal', hours, untilClosed }: HotDesk): CompiledHotDesk {
  return { loggedOut, hours: hours ?? null, untilClosed: untilClosed ?? null }
}

const tonesOfCountry: ReadonlyMap<string, TonePlan> = new Map([
  ['RU', 'ru'],
  ['KZ', 'ru'],
  ['BY', 'ru'],
  ['GB', 'uk'],
  ['US', 'us'],
  ['CA', 'us'],
  ['CN', 'cn'],
])

interface DeviceSurroundings {
  people: ReadonlyMap<string, DocumentOf<'person'>>
  extensionsOf: (device: Device) => readonly Extension[]
  settled: SettledCompany
  deviceCaps: CompiledDevice['caps']
  /** Of the company. */
  codecs: Company['codecs']
}

function compileDevice(device: Device, { people, extensionsOf, settled, deviceCaps, codecs }: DeviceSurroundings): CompiledDevice {
  const person = device.person === undefined ? null : (people.get(device.person) ?? null)
  const extensions = extensionsOf(device)
  const name = device.name ?? person?.name ?? device.username
  return {
    id: device.id,
    name,
    ownName: name,
    person,
    username: device.username,
    password: device.password ?? null,
    algorithms: device.algorithms ?? ['SHA-256', 'MD5'],
    codecs: codecsOf(device.codecs, codecs),
    encryption: device.encryption ?? 'offered',
    forwards: device.forwards ?? true,
    transports: device.transports ?? ['udp', 'tcp', 'tls', 'ws', 'wss'],
    ...callerOf(device, person, settled),
    maxContacts: device.maxContacts ?? 5,
    caps: device.caps ?? deviceCaps,
    extensions,
    pickupGroups: pickupGroupsOf(person, extensions),
    ...placeOf(device),
  }
}

function placeOf({
  shared = false,
  location,
  emergencyCallerId,
}: Device): Pick<CompiledDevice, 'shared' | 'location' | 'emergencyCallerId'> {
  return { shared, location: location ?? null, emergencyCallerId: emergencyCallerId ?? null }
}

/** The groups whose calls a phone takes. */
export function pickupGroupsOf(person: DocumentOf<'person'> | null, extensions: readonly Extension[]): ReadonlySet<string> {
  return new Set([...(person?.pickupGroups ?? []), ...extensions.flatMap(({ pickupGroups }) => pickupGroups ?? [])])
}

function callerOf(
  device: Device,
  person: DocumentOf<'person'> | null,
  settled: SettledCompany,
): Pick<CompiledDevice, 'callerId' | 'mayShow' | 'withhold'> {
  const callerId = device.callerId ?? person?.callerId ?? settled.callerId
  return { callerId, mayShow: new Set(device.mayShow), withhold: device.withhold ?? false }
}

/** Extensions by what they lead to, found once for all devices. */
function extensionFinder(extensions: readonly Extension[]): (device: Device) => readonly Extension[] {
  const found = new Map<string, Extension[]>()
  for (const extension of extensions) {
    const { target } = extension
    const key = 'device' in target ? `device ${target.device}` : 'person' in target ? `person ${target.person}` : ''
    found.set(key, [...(found.get(key) ?? []), extension])
  }
  return (device) => [...(found.get(`device ${device.id}`) ?? []), ...(found.get(`person ${device.person ?? ''}`) ?? [])]
}

/** Devices by whose they are. */
export function groupByPerson(devices: readonly CompiledDevice[]): Map<string, CompiledDevice[]> {
  const groups = new Map<string, CompiledDevice[]>()
  for (const device of devices) {
    if (device.person === null) continue
    const group = groups.get(device.person.id)
    if (group === undefined) groups.set(device.person.id, [device])
    else group.push(device)
  }
  return groups
}

function compileEmergency(
  documents: readonly ConfigDocument[],
  numbers: ReadonlyMap<string, DocumentOf<'number'>>,
  callerId: string | null,
): CompiledEmergency | null {
  const document = ofKind(documents, 'emergency')[0]
  if (document === undefined) return null
  const callback = document.callback === undefined ? undefined : numbers.get(document.callback)?.number
  return {
    document,
    numbers: new Set(document.numbers),
    trunks: document.trunks,
    callback: callback ?? callerId,
    notify: document.notify ?? [],
  }
}
