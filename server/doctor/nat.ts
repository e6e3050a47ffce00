import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Random } from '#base/ids.ts'
import type { Finding } from '#contract/api/operation.ts'
import type { Sighting } from '#sip/transport/stun-client.ts'
import type { SipTransport } from '#sip/transport/sip-transport.ts'
import type { HostPort } from '#sip/transport/transport.ts'
import { bad, warning, well } from '#server/doctor/findings.ts'
import { ownAddresses } from '#server/exchange/addresses.ts'

const check = 'public address'
/** Of STUN over UDP (RFC 8489 §19.1). */
const stunPort = 3_478
const patienceMs = 4_000

/** What is known before anybody is asked. */
export interface Known {
  /** `CENTRALA_PUBLIC_ADDRESS`. */
  readonly configured: string | null
  /** Addresses of this machine. */
  readonly own: ReadonlySet<string>
  /** The UDP port of SIP. */
  readonly port: number
}

/** What one STUN server, as the operator names it, said; asked at one address of it or two. */
export interface Sight {
  readonly server: string
  readonly sightings: readonly Sighting[]
}

/** The address that peers outside must use: what is configured, compared with what the STUN servers of the operator see of the SIP port itself. */
export async function examineAddress(
  servers: readonly string[],
  known: Known,
  ask: { transport: Pick<SipTransport, 'seenBy'>; random: Random },
): Promise<Finding[]> {
  if (servers.length === 0) return [judgeConfigured(known)]
  const sights = await Promise.all(
    servers.map(async (server): Promise<Sight> => {
      const at = await locate(server)
      if (typeof at === 'string') return { server, sightings: [{ kind: 'unseen', why: at }] }
      const seen = (where: HostPort): Promise<Sighting> =>
        ask.transport.seenBy(where, { random: ask.random, patienceMs }) ??
        Promise.resolve({ kind: 'unseen', why: `we have no UDP port that reaches ${where.host}` })
      const first = await seen(at)
      // From a second address it is seen whether the port is another for each peer (RFC 5780 §4.3).
      const other = first.kind === 'seen' && first.other !== null && first.other.host !== at.host ? { ...first.other, port: at.port } : null
      return { server, sightings: other === null ? [first] : [first, await seen(other)] }
    }),
  )
  return judgeSights(known, sights)
}

/** The machine's own addresses, for `Known`. */
export function knownNow(configured: string | null, port: number): Known {
  return { configured, own: ownAddresses(), port }
}

/** What can be said without asking anybody outside. */
export function judgeConfigured({ configured, own }: Known): Finding {
  const outer = [...own].filter((address) => isIP(address) === 4 && !isPrivate(address))
  const name = 'CENTRALA_STUN_SERVERS names nobody who could be asked how the internet sees us'
  if (configured !== null && isPrivate(configured))
    return warning(
      check,
      `CENTRALA_PUBLIC_ADDRESS is ${configured}, which nobody outside can reach`,
      'Set it to the address that the internet sees.',
    )
  if (configured !== null)
    return well(
      check,
      own.has(configured)
        ? `${configured} is an address of this machine`
        : `${configured}, to be forwarded to this machine (SIP and RTP ports); ${name}`,
    )
  if (outer.length > 0) return well(check, `this machine has ${outer.join(', ')}`)
  return warning(
    check,
    'this machine has private addresses only, and they are what SDP tells peers',
    `For carriers or phones on the internet set CENTRALA_PUBLIC_ADDRESS and forward the SIP and RTP ports; within one network nothing needs to be done. ${name}.`,
  )
}

/** What the servers saw, held against what is configured. */
export function judgeSights(known: Known, sights: readonly Sight[]): Finding[] {
  const silent = sights.flatMap(({ server, sightings }) =>
    sightings.flatMap((each) =>
      each.kind === 'seen'
        ? []
        : [
            warning(
              'STUN',
              `${server}: ${each.why}`,
              'Check the name in CENTRALA_STUN_SERVERS, and whether a firewall lets UDP out and its answers in.',
            ),
          ],
    ),
  )
  const seen = sights.flatMap(({ sightings }) => sightings.flatMap((each) => (each.kind === 'seen' ? [each.at] : [])))
  const [first] = seen
  if (first === undefined) return [judgeConfigured(known), ...silent]
  return [judgeAddress(known, first.host), ...judgeNat(known, seen), ...silent]
}

function judgeAddress({ configured, own }: Known, seen: string): Finding {
  if (configured !== null && configured !== seen)
    return bad(
      check,
      `CENTRALA_PUBLIC_ADDRESS is ${configured}, but STUN servers see ${seen}`,
      `Set CENTRALA_PUBLIC_ADDRESS=${seen}: peers outside send calls and audio to an address that is not ours.`,
    )
  if (configured === seen || own.has(seen))
    return well(check, `STUN servers see ${seen}, as ${configured === null ? 'this machine has it' : 'is configured'}`)
  return bad(
    check,
    `STUN servers see ${seen}, which is not an address of this machine, and CENTRALA_PUBLIC_ADDRESS is not set`,
    `Set CENTRALA_PUBLIC_ADDRESS=${seen} and forward the SIP and RTP ports to this machine: peers outside are told addresses that they cannot reach.`,
  )
}

/** Which kind of address translation stands before us (RFC 4787 §4.1). */
function judgeNat({ own, port }: Known, seen: readonly HostPort[]): Finding[] {
  const name = 'NAT'
  const [first] = seen
  if (first === undefined) return []
  const where = seen.map((each) => (each.host.includes(':') ? `[${each.host}]:${each.port}` : `${each.host}:${each.port}`))
  if (own.has(first.host) && seen.every((each) => each.host === first.host && each.port === port))
    return [well(name, `none: SIP port ${port} is seen as ${where[0] ?? ''}`)]
  if (new Set(where).size > 1)
    return [
      warning(
        name,
        `it gives another port to each peer (symmetric): SIP port ${port} is seen as ${where.join(' and ')}`,
        'Forward the SIP and RTP ports to this machine, unchanged: what one peer sees of us is of no use to another.',
      ),
    ]
  const kind =
    seen.length > 1
      ? 'it keeps one port for all peers (endpoint-independent)'
      : 'of which kind, one server cannot tell: name a second in CENTRALA_STUN_SERVERS'
  if (first.port !== port)
    return [
      warning(
        name,
        `${kind}; SIP port ${port} is seen as ${first.port}`,
        `Forward UDP port ${port} outside to port ${port} of this machine: it is what Contact and Via say.`,
      ),
    ]
  return [well(name, `${kind}; SIP port ${port} is seen unchanged`)]
}

/** Where a server is; a sentence when its name leads nowhere. */
async function locate(server: string): Promise<HostPort | string> {
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::(\d+))?$/.exec(server)
  const [, name = server, port] = bracketed ?? (isIP(server) === 6 ? [] : (/^([^:]+)(?::(\d+))?$/.exec(server) ?? []))
  const found = await lookup(name, { order: 'ipv4first' }).catch((fault: unknown) =>
    fault instanceof Error ? fault.message : String(fault),
  )
  return typeof found === 'string'
    ? `its name leads nowhere (${found})`
    : { host: found.address, port: port === undefined ? stunPort : Number(port) }
}

/** RFC 1918, RFC 6598, loopback, link-local. */
function isPrivate(address: string): boolean {
  return /^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(address)
}
