import { isIP } from 'node:net'
import type { WatchRefusal } from '#sip/events/event-package.ts'
import { parseSipUri, type SipUri } from '#sip/message/uri.ts'
import type { CompiledConfig, CompiledDevice } from '#server/config/compiled.ts'
import { resolveRing } from '#server/config/ring-plan.ts'
import type { Books } from '#server/dialplan/books.ts'
import type { DeviceWho } from '#server/dialplan/who.ts'

/** Nobody learns whether another company has what they asked for: it is refused like what nobody has. */
export const nobodyThere: WatchRefusal = { status: 404 }

/**
 * The phones behind a name that may be watched: an extension's own, or all members of its group; a phone's user name stands for that phone.
 * An extension that leads into a flow has none, and is always idle. Null: the company has no such name.
 */
export function phonesOf(config: CompiledConfig, name: string): readonly CompiledDevice[] | null {
  const extension = config.extensions.get(name)
  if (extension === undefined) {
    const device = config.devicesByUsername.get(name)
    return device === undefined ? null : [device]
  }
  if ('flow' in extension.target) return []
  const { steps } = resolveRing(config, [{ targets: [{ extension: extension.id }] }])
  const ids = new Set(steps.flatMap(({ targets }) => targets.flatMap((target) => (target.kind === 'device' ? [target.id] : []))))
  return [...ids].flatMap((id) => config.devices.get(id) ?? [])
}

/** The names that a phone is watched under. One configuration, one index. */
export function namesOf(config: CompiledConfig, device: string): readonly string[] {
  return (indices.get(config) ?? indexed(config)).get(device) ?? []
}

const indices = new WeakMap<CompiledConfig, ReadonlyMap<string, readonly string[]>>()

function indexed(config: CompiledConfig): ReadonlyMap<string, readonly string[]> {
  const index = new Map<string, string[]>()
  for (const name of new Set([...config.extensions.keys(), ...config.devicesByUsername.keys()])) {
    for (const { id } of phonesOf(config, name) ?? []) index.set(id, [...(index.get(id) ?? []), name])
  }
  indices.set(config, index)
  return index
}

/** The name in a Request-URI of a phone, in lower case; null when the URI names somebody else's domain or nobody. */
export function nameAsked(books: Books, who: DeviceWho, uri: string): { name: string; entity: string } | null {
  const parsed = parseSipUri(uri)
  const name = parsed?.user?.toLowerCase()
  if (parsed === undefined || name === undefined || !isOwnDomain(books, who.tenant, parsed)) return null
  const host = parsed.host.includes(':') ? `[${parsed.host}]` : parsed.host
  const port = parsed.port === undefined ? '' : `:${parsed.port}`
  return { name, entity: `sip:${parsed.escapedUser ?? ''}@${host}${port}` }
}

/** Its company's domains, and any address or name that is no company's: many phones know us by one only. */
function isOwnDomain(books: Books, tenant: string, { host }: SipUri): boolean {
  if (isIP(host) !== 0) return true
  const holder = books.ofDomain(host, false)
  return holder === null || holder.tenant === tenant
}
