import { statSync } from 'node:fs'
import type { Clock, Millis } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { OwnCertificates } from '#server/certificates/own.ts'
import { certificateIn, type PairOfFiles, readPair } from '#server/certificates/pair.ts'
import type { KeyedCertificate } from '#sip/transport/tls-keys.ts'

export interface CertificatesNeeds {
  clock: Clock
  log: Log
  /** Where those of our own making are kept. */
  folder: string
  /** The operator's, as files; none: we make one. */
  files: readonly PairOfFiles[]
  /** For whom one of our own must be: host names and IP addresses, the first as its title. Asked again from time to time. */
  names: () => readonly string[]
  /** Somebody should do something about it: `detail` says what and until when. */
  alarm: (severity: 'warning' | 'critical', detail: string) => void
}

/** One certificate as people see it. Times are Unix time in ms. */
export interface CertificateView {
  readonly subject: string
  readonly issuer: string
  readonly serial: string
  readonly names: readonly string[]
  readonly from: number
  readonly to: number
  /** `made`: by ourselves; `file`: the operator's. */
  readonly source: 'made' | 'file'
  readonly fingerprint: string
}

/** How often files are looked at. New handshakes show a new certificate within twice that. */
const lookMs: Millis = 1_500
/** How often ends and names are looked at. */
const reviewMs: Millis = 3_600_000
const dayMs: Millis = 86_400_000
/** Days before the end at which an alarm is raised, once each. */
const alarmDays = [1, 7, 30] as const

/**
 * The certificates this system shows over TLS: the operator's files, taken up as they change, or of our own making, replaced before they end.
 * What cannot be used never takes the place of what can.
 */
export class Certificates {
  readonly #needs: CertificatesNeeds
  readonly #own: OwnCertificates | null
  #served: readonly KeyedCertificate[]
  /** Of the files as they were read. */
  #stamps: string
  /** At the last look. */
  #seen: string
  #trouble: string | null = null
  #reviewedAt: Millis
  #timer: Disposable | null = null
  /** Alarms raised: serial and days. */
  readonly #told = new Set<string>()
  /** Set by the owner: from the next handshake on these are to be shown. Throws on what cannot be. */
  onChange: (served: readonly KeyedCertificate[]) => void = () => undefined

  /** Reads or makes what is shown. Throws `CertificateError`. */
  constructor(needs: CertificatesNeeds) {
    this.#needs = needs
    this.#own = needs.files.length > 0 ? null : new OwnCertificates(needs.folder)
    this.#stamps = this.#stampsNow()
    this.#seen = this.#stamps
    this.#served = this.#now()
    this.#reviewedAt = needs.clock.now()
  }

  /** The first is shown where a peer names no server. */
  get served(): readonly KeyedCertificate[] {
    return this.#served
  }

  /** PEM text of our own authority, for phones to trust; null where the operator's certificates are shown. */
  get authority(): string | null {
    return this.#own?.authority ?? null
  }

  get views(): CertificateView[] {
    return this.#served.map((pair) => viewOf(pair, this.#own === null ? 'file' : 'made'))
  }

  /** What is wrong, each in one sentence; none when nothing is. */
  get troubles(): string[] {
    const now = this.#needs.clock.wall()
    const ending = this.views.filter(({ to }) => to - now < 7 * dayMs).map((view) => endOf(view, now))
    return [...(this.#trouble === null ? [] : [this.#trouble]), ...ending]
  }

  /** Begins to look after them. */
  start(): void {
    this.#tellEnds()
    this.#again()
  }

  /** Takes up what is there now, whether or not it seems to have changed. Null, or why nothing was changed. */
  reload(): string | null {
    try {
      this.#stamps = this.#stampsNow()
      const served = this.#now()
      if (!isSame(served, this.#served)) {
        this.onChange(served)
        this.#served = served
        this.#needs.log.info('new certificates are shown', { serials: this.views.map(({ serial }) => serial) })
      }
      this.#trouble = null
    } catch (fault) {
      const detail = fault instanceof Error ? fault.message : String(fault)
      if (this.#trouble !== detail) this.#needs.alarm('warning', `the certificates stay as they are: ${detail}`)
      this.#trouble = detail
    }
    this.#tellEnds()
    return this.#trouble
  }

  close(): void {
    this.#timer?.[Symbol.dispose]()
  }

  #again(): void {
    this.#timer = this.#needs.clock.after(lookMs, () => {
      this.#look()
      this.#again()
    })
  }

  /** A certificate and its key change one after the other, so files are read when they have stayed as they are for one look. */
  #look(): void {
    const stamps = this.#stampsNow()
    const isChanging = stamps !== this.#seen
    this.#seen = stamps
    if (isChanging) return
    const isDue = this.#needs.clock.now() - this.#reviewedAt >= reviewMs
    if (isDue) this.#reviewedAt = this.#needs.clock.now()
    if (isDue || stamps !== this.#stamps) this.reload()
  }

  #now(): readonly KeyedCertificate[] {
    const { files, names, clock } = this.#needs
    return this.#own === null ? files.map(readPair) : [this.#own.current(names(), clock.wall())]
  }

  /** Changes when a file does, links included: as ACME clients put new certificates in place. */
  #stampsNow(): string {
    return this.#needs.files
      .flatMap(({ certificate, key }) => [certificate, key])
      .map((path) => {
        const stat = statSync(path, { throwIfNoEntry: false })
        return stat === undefined ? '-' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`
      })
      .join('|')
  }

  #tellEnds(): void {
    const now = this.#needs.clock.wall()
    for (const view of this.views) {
      const days = alarmDays.find((each) => view.to - now < each * dayMs)
      if (days === undefined || this.#told.has(`${view.serial} ${days}`)) continue
      this.#told.add(`${view.serial} ${days}`)
      this.#needs.alarm(days === 1 ? 'critical' : 'warning', endOf(view, now))
    }
  }
}

function viewOf({ chain }: KeyedCertificate, source: 'made' | 'file'): CertificateView {
  const certificate = certificateIn(chain)
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    serial: certificate.serialNumber,
    names: (certificate.subjectAltName ?? '').split(', ').map((entry) => entry.replace(/^(?:DNS|IP Address|URI):/, '')),
    from: certificate.validFromDate.getTime(),
    to: certificate.validToDate.getTime(),
    source,
    fingerprint: certificate.fingerprint256,
  }
}

function endOf({ subject, to }: CertificateView, now: number): string {
  const left = Math.floor((to - now) / dayMs)
  const end = new Date(to).toISOString().slice(0, 10)
  return left < 0 ? `the certificate of ${subject} ended on ${end}` : `the certificate of ${subject} ends on ${end}, in ${left} days`
}

function oneLine(name: string): string {
  return name.split('\n').join(', ')
}

function isSame(a: readonly KeyedCertificate[], b: readonly KeyedCertificate[]): boolean {
  return a.length === b.length && a.every((pair, i) => pair.chain === b[i]?.chain && pair.key === b[i]?.key)
}
