import { lookup } from 'node:dns'
import { get, type RequestOptions } from 'node:https'
import { type BlockList, isIP, type LookupFunction } from 'node:net'
import { isWithin, networksOf } from '#server/trunks/networks.ts'

/** Bounds of one fetch; whatever is beyond them is refused. */
const maxBytes = 65_536
const maxMs = 2_000
/** The ports that ATIS-1000074 §5.3.1 allows certificates to be at. */
const ports: ReadonlySet<string> = new Set(['', '443', '8443'])

/** What may be fetched. IPv4 addresses that are written as IPv6 ones are judged as what they are. */
export interface FetchRules {
  forbidden(url: string): string | null
  isInside(address: string): boolean
  /** Who may vouch for the web server; absent: the authorities every browser knows. */
  ca?: string
}

/** Networks that no certificate is published in: a caller who names one there wants to look inside (RFC 6890 and its successors). */
const inside: BlockList = networksOf(
  (
    '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 ' +
    '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 ::/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/23 2001:db8::/32 ' +
    '2002::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8'
  ).split(' '),
)

/** Why a URL must not be fetched; null when it may. Names are judged again by what they resolve to. */
export function forbidden(url: string): string | null {
  if (!URL.canParse(url)) return 'the URL of the certificate is malformed'
  const { protocol, hostname, port, username, password } = new URL(url)
  if (protocol !== 'https:') return 'the certificate is not at an https URL'
  if (!ports.has(port)) return 'the certificate is at a port where none may be'
  if (username !== '' || password !== '') return 'the URL of the certificate holds a password'
  const host = hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 && isInside(host) ? 'the certificate is at an address inside' : null
}

/** True for an address that is nobody's on the public Internet. */
function isInside(address: string): boolean {
  return isWithin(inside, address)
}

/**
 * Fetches a certificate as text: over https with a server that proves itself, from a public address only (looked up once, so that it cannot
 * change between look and use), at most 64 KB in 2 s, without following redirects. Rejects with a reason otherwise.
 */
export function fetchCertificate(url: string, rules: FetchRules = { forbidden, isInside }): Promise<string> {
  const why = rules.forbidden(url)
  if (why !== null) return Promise.reject(new Error(why))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const request = get(url, optionsOf(rules), (response) => {
    const parts: Buffer[] = []
    let bytes = 0
    if (response.statusCode !== 200) request.destroy(new Error(`the certificate's server answered ${response.statusCode ?? 'nothing'}`))
    response.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes > maxBytes) request.destroy(new Error('the certificate is too large'))
      else parts.push(part)
    })
    response.on('end', () => resolve(Buffer.concat(parts).toString('latin1')))
    response.on('error', reject)
  })
  request.on('error', (fault) => reject(fault.name === 'AbortError' ? new Error('the certificate did not come in time') : fault))
  return promise
}

function optionsOf(rules: FetchRules): RequestOptions {
  return {
    lookup: outsideOnly(rules),
    agent: false,
    signal: AbortSignal.timeout(maxMs),
    maxHeaderSize: 8_192,
    ...(rules.ca !== undefined && { ca: rules.ca }),
  }
}

/** Gives a name's addresses only when every one of them is outside. */
function outsideOnly(rules: FetchRules): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (fault, addresses) => {
      const inner = addresses?.some((each) => rules.isInside(each.address)) === true
      const refusal = fault ?? (inner ? new Error('the certificate is at an address inside') : null)
      if (refusal !== null) callback(refusal, [])
      else callback(null, addresses)
    })
  }
}
