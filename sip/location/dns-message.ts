import { type DnsAnswer, type DnsRecord, RECORD_TYPES, type RecordType } from '#sip/location/dns.ts'

/** More records of one answer than anybody needs; the rest is not read. */
const MAX_RECORDS = 64
/** Names reached through aliases (CNAME), at most. */
const MAX_ALIASES = 8
/** What fits through every path without fragments (RFC 6891 §6.2.5, DNS flag day 2020). */
export const UDP_PAYLOAD_BYTES = 1232
const CNAME = 5
const SOA = 6
const OPT = 41
const NXDOMAIN = 3

/** A question as it goes to a name server: recursion wanted, with room for larger answers (RFC 1035 §4.1, RFC 6891). Undefined for what is no name. */
export function writeQuestion(id: number, name: string, type: RecordType): Uint8Array | undefined {
  const labels = name.replace(/\.$/, '').split('.')
  const encoded = labels.map((label) => Buffer.from(label, 'latin1'))
  const length = encoded.reduce((sum, { length: bytes }) => sum + bytes + 1, 1)
  if (length > 255 || encoded.some((label) => label.length === 0 || label.length > 63)) return undefined
  const head = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1])
  const question = [...encoded.flatMap((label) => [Buffer.from([label.length]), label]), Buffer.from([0, 0, RECORD_TYPES[type], 0, 1])]
  const options = Buffer.from([0, 0, OPT, UDP_PAYLOAD_BYTES >> 8, UDP_PAYLOAD_BYTES & 0xff, 0, 0, 0, 0, 0, 0])
  return Buffer.concat([head, ...question, options])
}

/** What the answer to a question says; `truncated`: ask again over TCP; undefined: it is no answer to that question, or no DNS message at all. */
export function readAnswer(bytes: Uint8Array, asked: { id: number; name: string; type: RecordType }): DnsAnswer | 'truncated' | undefined {
  const read = new Reader(bytes)
  const [id, flags, questions, answers, authorities] = [read.u16(), read.u16(), read.u16(), read.u16(), read.u16()]
  read.skip(2)
  if (!read.ok || id !== asked.id || (flags & 0x8000) === 0 || questions !== 1) return undefined
  const wanted = asked.name.replace(/\.$/, '').toLowerCase()
  const [name, type] = [read.name(), read.u16()]
  read.skip(2)
  if (!read.ok || name !== wanted || type !== RECORD_TYPES[asked.type]) return undefined
  if ((flags & 0x0200) !== 0) return 'truncated'
  const code = flags & 0x0f
  if (code !== 0 && code !== NXDOMAIN) return { kind: 'failed', why: `the name server answered ${code}` }
  const found = entries(read, Math.min(answers, MAX_RECORDS))
  const records = follow(found, wanted, asked.type)
  if (records.length > 0)
    return { kind: 'records', records: records.map(({ record }) => record), ttl: Math.min(...found.map(({ ttl }) => ttl)) }
  if (!read.ok || answers > MAX_RECORDS) return { kind: 'failed', why: 'the answer is damaged' }
  const soa = entries(read, Math.min(authorities, MAX_RECORDS)).find(({ type: each }) => each === SOA)
  // RFC 2308 §5: the lesser of the two; without an SOA nothing says how long.
  return { kind: 'none', ttl: soa === undefined ? 0 : Math.min(soa.ttl, soa.minimum) }
}

interface Entry {
  readonly owner: string
  readonly type: number
  readonly ttl: number
  /** Of the types we ask for. */
  readonly record: DnsRecord | null
  /** Of a CNAME. */
  readonly alias: string
  /** Of an SOA. */
  readonly minimum: number
}

/** The records of `type` that `name` leads to, through aliases where there are any. */
function follow(found: readonly Entry[], name: string, type: RecordType): { record: DnsRecord }[] {
  let owner = name
  for (let i = 0; i <= MAX_ALIASES; i++) {
    const records = found.flatMap(({ owner: of, record }) => (of === owner && record?.type === type ? [{ record }] : []))
    const alias = found.find((entry) => entry.owner === owner && entry.type === CNAME)
    if (records.length > 0 || alias === undefined) return records
    owner = alias.alias
  }
  return []
}

function entries(read: Reader, count: number): Entry[] {
  const found: Entry[] = []
  for (let i = 0; i < count; i++) {
    const [owner, type] = [read.name(), read.u16()]
    read.skip(2)
    const [ttl, length] = [read.u32(), read.u16()]
    const end = read.at + length
    const [record, alias, minimum] = [recordOf(read, type, length), type === CNAME ? read.name() : '', type === SOA ? read.last32(end) : 0]
    read.at = end
    if (!read.ok) break
    // RFC 2181 §8: with the top bit set, zero.
    found.push({ owner, type, ttl: ttl > 0x7fffffff ? 0 : ttl, record, alias, minimum })
  }
  return found
}

function recordOf(read: Reader, type: number, length: number): DnsRecord | null {
  switch (type) {
    case RECORD_TYPES.A:
      return length === 4 ? { type: 'A', address: read.take(4).join('.') } : null
    case RECORD_TYPES.AAAA:
      return length === 16 ? { type: 'AAAA', address: ipv6(read.take(16)) } : null
    case RECORD_TYPES.SRV:
      return { type: 'SRV', priority: read.u16(), weight: read.u16(), port: read.u16(), target: read.name() }
    case RECORD_TYPES.NAPTR:
      return {
        ...{ type: 'NAPTR', order: read.u16(), preference: read.u16() },
        ...{ flags: read.text(), service: read.text(), regexp: read.text(), replacement: read.name() },
      }
    default:
      return null
  }
}

/** RFC 5952: lower case, the longest run of zero groups left out. */
export function ipv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  const text = groups.map((group) => group.toString(16)).join(':')
  const runs = text.match(/(?<![0-9a-f])0(?::0(?![0-9a-f]))+/g) ?? []
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '')
  if (longest === '') return text
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`))
  return `${text.slice(0, at).replace(/:$/, '')}::${text.slice(at + longest.length).replace(/^:/, '')}`
}

/** Reads forward through a message; past its end, or on a name that is none, it reads zeros and says so in `ok`. */
class Reader {
  at = 0
  ok = true
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  u8(): number {
    const value = this.#bytes[this.at++]
    if (value === undefined) this.ok = false
    return value ?? 0
  }
  u16(): number {
    return this.u8() * 0x100 + this.u8()
  }
  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }
  skip(count: number): void {
    this.at += count
    if (this.at > this.#bytes.length) this.ok = false
  }
  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.at, this.at + count)
    this.skip(count)
    return taken
  }
  text(): string {
    return Buffer.from(this.take(this.u8())).toString('latin1')
  }
  /** The last 32 bits before `end`. */
  last32(end: number): number {
    this.at = end - 4
    return this.at < 0 ? 0 : this.u32()
  }

  /** A name in lower case without its last dot (RFC 1035 §4.1.4). Pointers must lead backwards, so that it ends. */
  name(): string {
    const labels: string[] = []
    let [resume, lowest, length] = [-1, this.at, 0]
    for (let size = this.u8(); size !== 0; size = this.u8()) {
      if (size >= 0xc0) {
        const target = (size & 0x3f) * 0x100 + this.u8()
        if (resume < 0) resume = this.at
        if (target >= lowest) this.ok = false
        lowest = target
        this.at = target
      } else {
        const label = Buffer.from(this.take(size)).toString('latin1')
        if (size > 63 || (length += size + 1) > 255 || label.includes('.')) this.ok = false
        labels.push(label)
      }
      if (!this.ok) break
    }
    if (resume >= 0) this.at = resume
    return labels.join('.').toLowerCase()
  }
}
