import type { Clock, Millis } from '#base/clock.ts'
import type { Dns, DnsAnswer, DnsRecord, RecordType } from '#sip/location/dns.ts'

/** How long answers are used. */
export interface CacheLimits {
  /** What the zone says less than, is this: also a TTL of 0 must not make one question per call. Default 5 s. */
  minMs: Millis
  /** What the zone says more than, is this: a carrier that moves must be followed. Default 1 h. */
  maxMs: Millis
  /** That a name or record does not exist is believed for at most so long. Default 1 min. */
  maxNoneMs: Millis
  /** While nobody answers, an answer is used for so long after its end (RFC 8767). Default 1 h. */
  staleMs: Millis
  /** After a failure the name servers are not waited for again for so long. Default 5 s. */
  retryMs: Millis
  /** Questions remembered. Default 10,000. */
  names: number
}

const defaultCacheLimits: CacheLimits = {
  minMs: 5_000,
  maxMs: 3_600_000,
  maxNoneMs: 60_000,
  staleMs: 3_600_000,
  retryMs: 5_000,
  names: 10_000,
}

interface Known {
  /** Empty: there is none. */
  records: readonly DnsRecord[]
  until: Millis
}

/** Answers of the domain name system, each asked for once at a time and kept as long as its zone says, longer while nobody answers. */
export class DnsRecords {
  readonly #clock: Clock
  readonly #dns: Dns
  readonly #limits: CacheLimits
  readonly #known = new Map<string, Known>()
  readonly #asking = new Map<string, Promise<readonly DnsRecord[]>>()
  /** When the name servers may be asked again after they failed. */
  readonly #failedUntil = new Map<string, Millis>()

  constructor(clock: Clock, dns: Dns, limits: Partial<CacheLimits> = {}) {
    this.#clock = clock
    this.#dns = dns
    this.#limits = { ...defaultCacheLimits, ...limits }
  }

  /** The records of `type`; none when there are none or nobody knows. */
  async of<T extends RecordType>(name: string, type: T): Promise<readonly Extract<DnsRecord, { type: T }>[]> {
    const key = `${type} ${name.toLowerCase()}`
    const known = this.#known.get(key)
    const now = this.#clock.now()
    const records =
      known !== undefined && now < known.until
        ? known.records
        : now < (this.#failedUntil.get(key) ?? 0)
          ? this.#stale(key)
          : await this.#ask(key, name, type)
    return records.filter((record): record is Extract<DnsRecord, { type: T }> => record.type === type)
  }

  #ask(key: string, name: string, type: RecordType): Promise<readonly DnsRecord[]> {
    let asking = this.#asking.get(key)
    if (asking === undefined) {
      asking = this.#dns.ask(name, type).then((answer) => {
        this.#asking.delete(key)
        return this.#learn(key, answer)
      })
      this.#asking.set(key, asking)
    }
    return asking
  }

  #learn(key: string, answer: DnsAnswer): readonly DnsRecord[] {
    const { minMs, maxMs, maxNoneMs, retryMs } = this.#limits
    const now = this.#clock.now()
    if (answer.kind === 'failed') {
      put(this.#failedUntil, key, now + retryMs, this.#limits.names)
      return this.#stale(key)
    }
    this.#failedUntil.delete(key)
    const records = answer.kind === 'records' ? answer.records : []
    const most = answer.kind === 'records' ? maxMs : maxNoneMs
    put(this.#known, key, { records, until: now + Math.min(most, Math.max(minMs, answer.ttl * 1000)) }, this.#limits.names)
    return records
  }

  #stale(key: string): readonly DnsRecord[] {
    const known = this.#known.get(key)
    return known !== undefined && this.#clock.now() < known.until + this.#limits.staleMs ? known.records : []
  }
}

/** As the youngest entry; the oldest has to go when there are too many. */
function put<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
