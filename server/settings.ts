import { availableParallelism, networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import Type from 'typebox'
import { runFolderOf } from '#server/run-folder.ts'
import { SettingsReader, type Sources } from '#server/settings-reader.ts'
import { chooseDataFolder } from '#server/store/data-folder.ts'

/** Everything that the machine's operator decides, once per start. What a company decides is configuration, not a setting. */
export interface Settings {
  folders: FolderSettings
  sip: SipSettings
  media: MediaSettings
  http: { address: string; port: number }
  database: DatabaseSettings
  mail: MailSettings
  calls: CallSettings
  demoCarrier: DemoCarrierSettings
  log: { level: LogLevel; fileBytes: number; files: number }
}

export interface FolderSettings {
  /** Everything that must outlive a restart: database, facts, recordings, prompts, outbox, logs. Absolute. */
  data: string
  /** Why it is not the folder of the project; null when it is, or when it was set. For the operator to read. */
  dataBecause: string | null
  /** Local sockets of this installation's processes. Short enough for a socket path (sun_path, 108 bytes). Absolute. */
  run: string
  logs: string
}

export interface SipSettings {
  /** Addresses to listen on. `::` means IPv6 only, beside `0.0.0.0`. */
  addresses: string[]
  /** UDP and TCP. */
  port: number
  /** SIP over WebSocket (RFC 7118). */
  ws: { port: number; path: string }
  tls: TlsSettings
  /** Name servers, `address` or `address:port`; empty: the system's. */
  dnsServers: string[]
  /** What peers outside `localNetworks` must use to reach us (Contact, Via, SDP); null: the address of the interface. */
  publicAddress: string | null
  /** STUN servers that the doctor may ask how the internet sees us, `host` or `host:port`; none: nobody outside is asked. */
  stunServers: string[]
  /** Networks in CIDR form from which no address translation is assumed. */
  localNetworks: string[]
  /** Where registered phones are to send their requests through (RFC 3608): SIP URIs, the first hop first. */
  serviceRoute: string[]
  /** From where several companies of the system may take calls of trunks: addresses, networks, host names. */
  sharedTrunkSources: string[]
  /** PEM file of the authorities whose signatures of caller identity are believed (STIR/SHAKEN); null: nobody's. */
  signatureAuthorities: string | null
  /** Networks that are never banned, whatever comes from them. */
  neverBan: string[]
  /** How often a phone behind an address translation is asked whether it is there, s; 0: never. */
  keepAliveSeconds: number
  /** Session timers (RFC 4028), s: what we ask for, 0 for nothing; and the least we agree to. */
  sessions: { expires: number; min: number }
}

export interface TlsSettings {
  /** SIP over TLS. */
  port: number
  /** SIP over secure WebSocket. */
  wssPort: number
  /** The operator's certificates and private keys, PEM files; none: we make one. The first is shown to peers that name no server. */
  files: { certificate: string; key: string }[]
  /** Names and addresses for which a certificate of our own is, beside those found on the machine. */
  names: string[]
  /** PEM file of the authorities that must vouch for everybody who connects over TLS; null: nobody is asked for a certificate. */
  clientAuthorities: string | null
}

export interface MediaSettings {
  /** RTP uses the even ports, RTCP the odd ones; both ends included. Engines share the range evenly. */
  firstPort: number
  lastPort: number
  /** Media engine processes. */
  engines: number
  /** One local socket per engine, in order. */
  sockets: string[]
}

export interface DatabaseSettings {
  /** Owner of the schema, in a PostgreSQL of one's own; null: the embedded server, whose addresses the keeper gives to the server process. */
  url: string | null
  /** The same database through roles that own nothing; null: the owner takes those roles on. */
  tenantUrl: string | null
  systemUrl: string | null
}

export interface MailSettings {
  /** smtp: or smtps: URL; null: mail is written to `outbox`. */
  url: string | null
  from: string
  outbox: string
}

export interface CallSettings {
  /** New calls above this many get 503. */
  limit: number
  /** New calls a second; above, they get 503, each company by its fair share. */
  perSecond: number
  /** After SIGTERM, calls may go on for so long. */
  drainLimitMs: number
}

export interface DemoCarrierSettings {
  enabled: boolean
  /** SIP on loopback, UDP and TCP. */
  port: number
  /** The first of the 200 ports for its audio. */
  firstMediaPort: number
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const port = Type.Integer({ minimum: 1, maximum: 65_535, description: 'a port, 1 to 65535' })
const evenPort = Type.Integer({ minimum: 1024, maximum: 65_534, multipleOf: 2, description: 'an even port, 1024 to 65534' })
const oddPort = Type.Integer({ minimum: 1025, maximum: 65_535, description: 'a port, 1025 to 65535, above CENTRALA_RTP_FIRST_PORT' })
const address = Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })], { description: 'an IPv4 or IPv6 address' })
const addresses = Type.Array(address, { minItems: 1, description: 'IPv4 or IPv6 addresses, separated by commas' })
const network = Type.String({ pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' })
const networks = Type.Array(network, { description: 'networks like 192.168.0.0/16, separated by commas' })
const sources = Type.Array(Type.String({ pattern: '^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?(/[0-9]{1,3})?$' }), {
  description: 'addresses, networks like 203.0.113.0/24 and host names, separated by commas',
})
const postgresUrl = Type.String({ pattern: '^postgres(ql)?://.', description: 'postgres://user:password@host:port/database' })
const files = Type.Array(Type.String({ minLength: 1 }), { description: 'files, separated by commas' })
const hosts = Type.Array(Type.String({ pattern: '^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$' }), {
  description: 'host names or addresses, separated by commas',
})
const nameServers = Type.Array(Type.String({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[0-9.]+)(:[0-9]{1,5})?$|^[0-9a-fA-F:]+$' }), {
  description: 'addresses of name servers, each with :port where it is not 53, separated by commas',
})
const stunServers = Type.Array(
  Type.String({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(:[0-9]{1,5})?$' }),
  {
    maxItems: 4,
    description: 'host names or addresses of STUN servers, each with :port where it is not 3478, separated by commas; four at most',
  },
)
const smtpUrl = Type.String({ pattern: '^smtps?://.', description: 'smtp://user:password@host:port' })
const sipUris = Type.Array(Type.String({ pattern: '^sips?:[^ <>,"]+;lr(;[^ <>,"]+)?$', maxLength: 255 }), {
  maxItems: 4,
  description: 'SIP URIs of proxies with the parameter lr, separated by commas',
})
const folder = Type.String({ minLength: 1, description: 'a folder' })
const file = Type.String({ minLength: 1, description: 'a file' })
const urlPath = Type.String({ pattern: '^/[^ ?#]*$', description: 'a path that starts with /' })
const mailbox = Type.String({ pattern: '^[^ @]+@[^ @]+$', description: 'a mail address' })
const count = Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'a number from 1 to 1000000' })
const seconds = Type.Integer({ minimum: 0, maximum: 86_400, description: 'seconds, 0 to 86400' })
const sessionSeconds = Type.Integer({ minimum: 0, maximum: 86_400, description: 'a number of seconds up to 86400, or 0 for none' })
const keepAliveSeconds = Type.Integer({ minimum: 0, maximum: 3_600, description: 'a number of seconds up to 3600, or 0 for never' })
const leastSessionSeconds = Type.Integer({ minimum: 2, maximum: 86_400, description: 'a number of seconds from 2 to 86400' })
const engineCount = Type.Integer({ minimum: 1, maximum: 64, description: 'a number from 1 to 64' })
const onOff = Type.Boolean({ description: 'on or off' })
const logLevel = Type.Union([Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')], {
  description: 'debug, info, warn or error',
})

/** Peers on our own machine are told apart by their port, too. */
const loopback = ['127.0.0.0/8', '::1/128']

/** Addresses that are never behind our NAT: private use (RFC 1918, RFC 4193), link-local and loopback. */
const privateNetworks = '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 ::1/128 fc00::/7 fe80::/10'.split(' ')

/**
 * Reads the settings: the environment first, then the file `centrala.config` of the project, then the defaults.
 * @throws SettingsError naming every wrong setting and what was expected.
 */
export function readSettings(sources: Sources): Settings {
  const read = new SettingsReader(sources)
  const folders = readFolders(read, sources.project)
  const settings: Settings = {
    folders,
    sip: readSip(read, sources.project),
    media: readMedia(read, folders.run),
    http: { address: read.one('CENTRALA_HTTP_ADDRESS', address, '127.0.0.1'), port: read.one('CENTRALA_HTTP_PORT', port, 8080) },
    database: {
      url: read.one('DATABASE_URL', postgresUrl, null),
      tenantUrl: read.one('CENTRALA_DATABASE_TENANT_URL', postgresUrl, null),
      systemUrl: read.one('CENTRALA_DATABASE_SYSTEM_URL', postgresUrl, null),
    },
    mail: {
      url: read.one('SMTP_URL', smtpUrl, null),
      from: read.one('CENTRALA_MAIL_FROM', mailbox, 'centrala@localhost'),
      outbox: join(folders.data, 'outbox'),
    },
    calls: {
      limit: read.one('CENTRALA_CALL_LIMIT', count, 2_000),
      perSecond: read.one('CENTRALA_CALLS_PER_SECOND', count, 200),
      drainLimitMs: read.one('CENTRALA_DRAIN_SECONDS', seconds, 600) * 1_000,
    },
    demoCarrier: {
      enabled: read.one('CENTRALA_DEMO_CARRIER', onOff, true),
      port: read.one('CENTRALA_DEMO_CARRIER_PORT', port, 5070),
      firstMediaPort: read.one('CENTRALA_DEMO_CARRIER_RTP_FIRST_PORT', evenPort, 30_000),
    },
    log: {
      level: read.one('CENTRALA_LOG_LEVEL', logLevel, 'info'),
      fileBytes: read.one('CENTRALA_LOG_FILE_MB', count, 50) * 1_000_000,
      files: read.one('CENTRALA_LOG_FILES', count, 5),
    },
  }
  read.finish()
  return settings
}

function readFolders(read: SettingsReader, project: string): FolderSettings {
  const wanted = read.one('CENTRALA_DATA_FOLDER', folder, null)
  const chosen = chooseDataFolder(project, wanted === null ? undefined : resolve(project, wanted))
  return { data: chosen.path, dataBecause: chosen.because, run: runFolderOf(chosen.path), logs: join(chosen.path, 'logs') }
}

function readSip(read: SettingsReader, project: string): SipSettings {
  const listened = read.one('CENTRALA_SIP_ADDRESSES', addresses, hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'])
  const sipPort = read.one('CENTRALA_SIP_PORT', port, 5060)
  const ws = { port: read.one('CENTRALA_SIP_WS_PORT', port, 5066), path: read.one('CENTRALA_SIP_WS_PATH', urlPath, '/sip') }
  return {
    addresses: listened,
    port: sipPort,
    ws,
    tls: readTls(read, project, { sip: sipPort, ws: ws.port }),
    dnsServers: read.one('CENTRALA_DNS_SERVERS', nameServers, []),
    publicAddress: read.one('CENTRALA_PUBLIC_ADDRESS', address, null),
    stunServers: read.one('CENTRALA_STUN_SERVERS', stunServers, []),
    localNetworks: read.one('CENTRALA_LOCAL_NETWORKS', networks, privateNetworks),
    serviceRoute: read.one('CENTRALA_SIP_SERVICE_ROUTE', sipUris, []),
    sharedTrunkSources: read.one('CENTRALA_SHARED_TRUNK_SOURCES', sources, loopback),
    signatureAuthorities: pathOr(project, read.one('CENTRALA_STIR_CA', file, null)),
    neverBan: read.one('CENTRALA_NEVER_BAN', networks, []),
    keepAliveSeconds: read.one('CENTRALA_SIP_NAT_KEEP_ALIVE_SECONDS', keepAliveSeconds, 25),
    sessions: {
      expires: read.one('CENTRALA_SIP_SESSION_SECONDS', sessionSeconds, 1_800),
      min: read.one('CENTRALA_SIP_MIN_SESSION_SECONDS', leastSessionSeconds, 90),
    },
  }
}

function pathOr(project: string, path: string | null): string | null {
  return path === null ? null : resolve(project, path)
}

/** Without a port of their own TLS and WSS are beside their plain siblings, as 5061 is beside 5060. */
function readTls(read: SettingsReader, project: string, plain: { sip: number; ws: number }): TlsSettings {
  const beside = (wanted: number, taken: readonly number[]): number => (taken.includes(wanted) ? beside(wanted + 1, taken) : wanted)
  const tls = read.one('CENTRALA_SIP_TLS_PORT', port, beside(plain.sip + 1, [plain.ws]))
  const wss = read.one('CENTRALA_SIP_WSS_PORT', port, beside(plain.ws + 1, [plain.sip, tls]))
  const certificates = read.one('CENTRALA_TLS_CERTIFICATE', files, [])
  const keys = read.one('CENTRALA_TLS_KEY', files, [])
  if (certificates.length !== keys.length) read.refuse('CENTRALA_TLS_KEY', 'must name as many files as CENTRALA_TLS_CERTIFICATE')
  const authorities = read.one('CENTRALA_TLS_CLIENT_CA', file, null)
  return {
    port: tls,
    wssPort: wss,
    files: certificates.map((certificate, i) => ({ certificate: resolve(project, certificate), key: resolve(project, keys[i] ?? '') })),
    names: read.one('CENTRALA_TLS_NAMES', hosts, []),
    clientAuthorities: authorities === null ? null : resolve(project, authorities),
  }
}

function readMedia(read: SettingsReader, runFolder: string): MediaSettings {
  const firstPort = read.one('CENTRALA_RTP_FIRST_PORT', evenPort, 20_000)
  const lastPort = read.one('CENTRALA_RTP_LAST_PORT', oddPort, 29_999)
  const engines = read.one('CENTRALA_MEDIA_ENGINES', engineCount, Math.max(1, availableParallelism() - 1))
  const portsNeeded = engines * 2
  if (lastPort - firstPort + 1 < portsNeeded) {
    read.refuse(
      'CENTRALA_RTP_LAST_PORT',
      `must leave at least ${portsNeeded} ports from CENTRALA_RTP_FIRST_PORT (${firstPort}), two per media engine`,
    )
  }
  const sockets = Array.from({ length: engines }, (_, index) => join(runFolder, `engine-${index}.sock`))
  return { firstPort, lastPort, engines, sockets }
}

/** A machine whose IPv6 is switched off has not even `::1`; listening on `::` would fail there. */
function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((each) => each.family === 'IPv6'))
}
