/** Types of records that location asks for, with their numbers (RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 3403). */
export const RECORD_TYPES = { A: 1, AAAA: 28, SRV: 33, NAPTR: 35 } as const
export type RecordType = keyof typeof RECORD_TYPES

/** `name` in lower case without its last dot. */
export interface SrvRecord {
  type: 'SRV'
  priority: number
  weight: number
  port: number
  /** Empty for the root: the service is decidedly not available there (RFC 2782). */
  target: string
}

/** RFC 3403 §4.1; the text fields as they stand. */
export interface NaptrRecord {
  type: 'NAPTR'
  order: number
  preference: number
  flags: string
  service: string
  regexp: string
  replacement: string
}

export type DnsRecord = { type: 'A' | 'AAAA'; address: string } | SrvRecord | NaptrRecord

/**
 * What a question brought. `none`: the name does not exist or has no such record, said with authority; `failed`: nobody said anything of
 * use. Seconds of life as the servers told, unbounded.
 */
export type DnsAnswer =
  | { kind: 'records'; records: readonly DnsRecord[]; ttl: number }
  | { kind: 'none'; ttl: number }
  | { kind: 'failed'; why: string }

/** The port to the domain name system. Never rejects. */
export interface Dns {
  ask(name: string, type: RecordType): Promise<DnsAnswer>
}
