import { elementEnd, firstBlank, isToken, parseUint, trimmed } from '#sip/message/grammar.ts'
import { formatHostPort, isIpv4, isIpv6, parseHostPort } from '#sip/message/host.ts'
import { formatParam, type Params, parseParams } from '#sip/message/params.ts'

/** One Via element (RFC 3261 §20.42, `rport` of RFC 3581). */
export interface Via {
  /** Upper case: UDP, TCP, TLS, SCTP, WS, WSS, or anything else a token may be. */
  readonly transport: string
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string
  readonly port: number | undefined
  readonly branch: string | undefined
  /** Address the request was seen from, without brackets. */
  readonly received: string | undefined
  /** Port the request was seen from; `asked` when the sender wants to be told; undefined when there is no such parameter. */
  readonly rport: number | 'asked' | undefined
  readonly params: Params
  /** `SIP/2.0`, or what else stands there. */
  readonly protocol: string
}

/** Branches that promise RFC 3261 uniqueness start so (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK'

/** Parses the first element of a Via line; undefined when malformed. Blanks may stand around the slashes, as the grammar allows. */
export function parseVia(line: string): Via | undefined {
  const text = line.includes(',') ? trimmed(line, 0, elementEnd(line, 0)) : line
  const secondSlash = text.indexOf('/', text.indexOf('/') + 1)
  if (secondSlash < 0) return undefined
  const semicolon = text.indexOf(';')
  const sent = trimmed(text, secondSlash + 1, semicolon < 0 ? text.length : semicolon)
  const blank = firstBlank(sent)
  const protocol = text.startsWith('SIP/2.0/') ? 'SIP/2.0' : parseProtocol(text.slice(0, secondSlash))
  const transport = sent.slice(0, blank)
  const where = parseHostPort(withoutBlanksAroundColon(trimmed(sent, blank)))
  if (protocol === undefined || where === undefined || !isToken(transport)) return undefined
  const params = parseParams(text, semicolon < 0 ? text.length : semicolon)
  return params === undefined ? undefined : withParams(protocol, transport === 'UDP' ? transport : transport.toUpperCase(), where, params)
}

/** The wire form. */
export function formatVia(via: { transport: string; host: string; port?: number | undefined; branch: string; rport?: boolean }): string {
  return `SIP/2.0/${via.transport} ${formatHostPort(via.host, via.port)}${via.rport === false ? '' : ';rport'};branch=${via.branch}`
}

/**
 * The Via line of a request as its receiver keeps it (RFC 3261 §18.2.1, RFC 3581 §4): `received` added when the sender's host is not the
 * source address or `rport` was asked for, `rport` filled in. Forged values are overwritten. `line` is the whole first Via line.
 */
export function stampedVia(line: string, via: Via, source: { address: string; port: number }): string {
  let params = ''
  for (const [name, value] of via.params) {
    if (name === 'rport') params += `;rport=${source.port}`
    else if (name !== 'received') params += formatParam(name, value)
  }
  if (via.rport !== undefined || via.host !== source.address) params += `;received=${source.address}`
  const end = line.includes(',') ? elementEnd(line, 0) : line.length
  return `${via.protocol}/${via.transport} ${formatHostPort(via.host, via.port)}${params}${line.slice(end)}`
}

function withParams(
  protocol: string,
  transport: string,
  where: { host: string; port: number | undefined },
  params: Params,
): Via | undefined {
  const branch = params.get('branch')
  const received = parseReceived(params.get('received'))
  const rport = parseRport(params.get('rport'))
  if (branch === '' || received === null || rport === null) return undefined
  return { transport, host: where.host, port: where.port, branch, received, rport, params, protocol }
}

/** RFC 3261 wants an IPv6 address bare here, RFC 5118 §4.5 asks to take it in brackets as well. */
function parseReceived(text: string | undefined): string | undefined | null {
  if (text === undefined) return undefined
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  return isIpv4(bare) || isIpv6(bare) ? bare.toLowerCase() : null
}

function parseRport(text: string | undefined): number | 'asked' | undefined | null {
  if (text === undefined) return undefined
  if (text === '') return 'asked'
  const port = parseUint(text, 65_535)
  return port === undefined || port === 0 ? null : port
}

function parseProtocol(text: string): string | undefined {
  const [name = '', version = ''] = text.split('/').map((part) => trimmed(part))
  return isToken(name) && isToken(version) ? `${name.toUpperCase()}/${version}` : undefined
}

function withoutBlanksAroundColon(text: string): string {
  return text.includes(' ') || text.includes('\t')
    ? text
        .split(':')
        .map((part) => trimmed(part))
        .join(':')
    : text
}
