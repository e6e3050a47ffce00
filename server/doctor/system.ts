import { isIP } from 'node:net'
import { lookup } from 'node:dns/promises'
import type { MediaEngine } from '#media/engine.ts'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Finding } from '#contract/api/operation.ts'
import { bad, examine, warning, well } from '#server/doctor/findings.ts'
import { echoCall } from '#server/doctor/echo.ts'
import { reachable } from '#server/doctor/echo-line.ts'
import { examineMachine } from '#server/doctor/machine.ts'
import { examineNameServers } from '#server/doctor/name-servers.ts'
import { examineAddress, knownNow } from '#server/doctor/nat.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import type { Journal } from '#server/journal/index.ts'
import type { SmtpPolicy } from '#server/mail/index.ts'
import type { Settings } from '#server/settings.ts'
import type { Store } from '#server/store/index.ts'
import { formatHostPort } from '#sip/message/host.ts'
import type { TrunkLink } from '#server/trunks/trunk-link.ts'

export interface DoctorNeeds {
  clock: Clock
  random: Random
  media: MediaEngine
  settings: Settings
  exchange: Exchange
  store: Pick<Store, 'health'>
  journal: Pick<Journal, 'health'>
  /** What is wrong with certificates, in sentences. */
  certificates: { readonly troubles: readonly string[] }
  smtp: SmtpPolicy
  tenants: () => readonly string[]
}

/** How long a peer or a mail server may take; somebody waits for the report. */
const patienceMs = 5_000

/** A doctor of the running system. `startedAt` of the clocks is taken here: a wall clock that jumps is seen against the monotonic one. */
export class Doctor {
  readonly #needs: DoctorNeeds
  readonly #zero: number

  constructor(needs: DoctorNeeds) {
    this.#needs = needs
    this.#zero = wallZero(needs.clock)
  }

  /** Everything, within some seconds. */
  async examine(): Promise<Finding[]> {
    const { settings, store, journal, certificates, exchange } = this.#needs
    const trunks = [...exchange.trunks]
    const [machine, system] = await Promise.all([
      examineMachine(settings),
      examine({
        ports: () => this.#ports(),
        'own calls': () => this.#options(),
        'echo call': () => this.#echo(),
        'public address': () => this.#address(),
        certificates: () => troublesOf(certificates.troubles),
        trunks: () => trunks.map(trunkFinding),
        'name servers': () =>
          examineNameServers(
            settings.sip.dnsServers,
            trunks.map(({ trunk }) => (trunk.outboundProxy ?? trunk).host),
            this.#needs,
          ),
        names: async () => (await Promise.all(trunks.map(nameFinding))).flat(),
        mail: () => this.#mail(),
        clock: () => [this.#clockFinding()],
        database: () => [databaseFinding(store)],
        journal: () => [journalFinding(journal)],
      }),
    ])
    return [...system, ...machine]
  }

  #ports(): Finding[] {
    const { exchange, settings, media } = this.#needs
    const listening = exchange.transport.listening.map(({ transport, address, port }) => `${transport} ${address}:${port}`)
    const { firstPort, lastPort } = settings.media
    const { capacity, endpoints } = media.load
    const audio =
      capacity === 0
        ? bad('media ports', 'no media engine answers', 'Look at the lines of engine-0 in the log.')
        : endpoints > 0.8 * capacity
          ? warning(
              'media ports',
              `${endpoints} of ${capacity} audio ports are in use`,
              'Widen CENTRALA_RTP_FIRST_PORT to CENTRALA_RTP_LAST_PORT.',
            )
          : well('media ports', `${capacity} audio ports from ${firstPort} to ${lastPort}, ${endpoints} in use`)
    return [well('ports', `listens on ${listening.join(', ')}, HTTP ${settings.http.address}:${settings.http.port}`), audio]
  }

  /** The system asks itself, over its own sockets. */
  async #options(): Promise<Finding[]> {
    const { exchange, settings } = this.#needs
    // Where phones must show certificates, ours need not be one of them.
    const tls = settings.sip.tls.clientAuthorities === null ? ['tls'] : []
    const ways = exchange.transport.listening.filter(({ transport }) => ['udp', 'tcp', ...tls].includes(transport))
    return Promise.all(
      ways.map(async ({ transport, address, port }) => {
        const host = reachable(address)
        const uri = `sip:${formatHostPort(host, port)}`
        const answer = await exchange.agent.request({
          ...{ method: 'OPTIONS', uri, from: 'sip:doctor@localhost', to: uri, timeoutMs: patienceMs },
          // What the certificate is worth is examined by itself.
          via: { transport, address: host, port, ...(transport === 'tls' && { expects: { name: host, trust: 'anyone' as const } }) },
        })
        const name = `SIP over ${transport}`
        if (answer.kind === 'response') return well(name, `${uri} answers its own OPTIONS with ${answer.status}`)
        return bad(
          name,
          `${uri} does not answer its own OPTIONS: ${answer.detail}`,
          'A firewall of this machine may drop it; phones will not get through either.',
        )
      }),
    )
  }

  /** A call to ourselves at each UDP port. */
  #echo(): Promise<Finding[]> {
    const { clock, exchange, settings } = this.#needs
    const ports = exchange.transport.listening.filter(({ transport }) => transport === 'udp')
    const needs = { clock, calls: exchange.calls, echo: exchange.echo, folder: settings.folders.data }
    return Promise.all(ports.map(({ address, port }) => echoCall(needs, { address: reachable(address), port })))
  }

  #address(): Promise<Finding[]> {
    const { settings, exchange, random } = this.#needs
    const known = knownNow(settings.sip.publicAddress, settings.sip.port)
    return examineAddress(settings.sip.stunServers, known, { transport: exchange.transport, random })
  }

  async #mail(): Promise<Finding[]> {
    const { smtp, tenants, settings } = this.#needs
    const servers = new Map(tenants().map((tenant) => [tenant, smtp(tenant)]))
    return Promise.all(
      [...servers].map(async ([tenant, server]) => {
        const name = `mail of ${tenant}`
        if (server === null)
          return warning(
            name,
            `no mail server is set: letters are files in ${settings.mail.outbox}`,
            'Set SMTP_URL, or smtp in the company’s document.',
          )
        const where = `${server.host}:${server.port}`
        const auth = server.user === undefined ? {} : { auth: { user: server.user, pass: server.password ?? '' } }
        const limits = { connectionTimeout: patienceMs, greetingTimeout: patienceMs, socketTimeout: patienceMs, dnsTimeout: patienceMs }
        const { createTransport } = await import('nodemailer')
        const transport = createTransport({ host: server.host, port: server.port, secure: server.secure, ...auth, ...limits })
        try {
          await transport.verify()
          return well(name, `${where} lets us in`)
        } catch (fault) {
          return bad(
            name,
            `${where}: ${fault instanceof Error ? fault.message : String(fault)}`,
            'Check host, port, user and password of the mail server.',
          )
        } finally {
          transport.close()
        }
      }),
    )
  }

  #clockFinding(): Finding {
    const jumpMs = Math.round(wallZero(this.#needs.clock) - this.#zero)
    return Math.abs(jumpMs) > 2_000
      ? warning(
          'clock',
          `the clock was set by ${(jumpMs / 1_000).toFixed(1)} s since the start`,
          'Keep it right with a time service (chrony, systemd-timesyncd): records and opening hours go by it.',
        )
      : well('clock', 'the clock runs evenly')
  }
}

function wallZero(clock: Clock): number {
  return clock.wall() - clock.now()
}

function troublesOf(troubles: readonly string[]): Finding[] {
  if (troubles.length === 0) return [well('certificates', 'in order')]
  return troubles.map((trouble) =>
    bad('certificates', trouble, 'Renew it, or put a valid one into the files of CENTRALA_TLS_CERTIFICATE and CENTRALA_TLS_KEY.'),
  )
}

function trunkFinding(link: TrunkLink): Finding {
  const name = `trunk ${link.id} of ${link.tenant}`
  const at = link.address === null ? '' : ` at ${link.address.address}:${link.address.port}`
  if (link.downWhy !== '')
    return bad(name, link.downWhy, 'Check host, port and password with the carrier, and whether our address is allowed there.')
  if (link.state === 'unknown') return warning(name, `has not answered yet${at}`, 'Ask again in half a minute.')
  return well(name, `answers${at}${link.registered === true ? ', registered' : ''}; ${link.inUse} channels in use`)
}

async function nameFinding({ id, tenant, trunk, address }: TrunkLink): Promise<Finding[]> {
  if (isIP(trunk.host) !== 0) return []
  const name = `name of trunk ${id} of ${tenant}`
  if (address !== null) return [well(name, `${trunk.host} is ${address.address}`)]
  const found = await lookup(trunk.host).catch((fault: unknown) => (fault instanceof Error ? fault.message : String(fault)))
  return [
    bad(
      name,
      `${trunk.host} has no address${typeof found === 'string' ? ` (${found})` : ''}`,
      'Check the host in the trunk’s document and the name servers of this machine.',
    ),
  ]
}

function databaseFinding(store: Pick<Store, 'health'>): Finding {
  const { state, detail } = store.health()
  return state === 'ready'
    ? well('database', 'answers')
    : bad(
        'database',
        detail ?? 'away',
        'Calls go on and history comes later; look at the lines of the database in the log, or at DATABASE_URL.',
      )
}

function journalFinding(journal: Pick<Journal, 'health'>): Finding {
  const { state, lastError, waiting, lost, undrained, slowestCommitMs } = journal.health()
  if (state === 'failing')
    return bad(
      'journal',
      `cannot be written (${lastError ?? 'no reason given'}): ${waiting} facts wait in memory`,
      'Free space on the disk of the data folder.',
    )
  if (lost > 0)
    return warning(
      'journal',
      `${lost} facts were lost while the disk refused them`,
      'The history of that time has holes; the disk is well again.',
    )
  return well('journal', `${undrained} facts on their way to the database, slowest flush ${Math.round(slowestCommitMs)} ms`)
}
