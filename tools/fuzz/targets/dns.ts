import assert from 'node:assert/strict'
import { readAnswer, writeQuestion } from '#sip/location/dns-message.ts'
import { RECORD_TYPES, type RecordType } from '#sip/location/dns.ts'
import type { FuzzTarget } from '#tools/fuzz/target.ts'

const types = Object.keys(RECORD_TYPES) as RecordType[]
const id = 0x1234
const name = 'sip.example'

/** The name at the beginning of the question, by reference (RFC 1035 §4.1.4). */
const SAME = [0xc0, 12]
const label = (text: string): number[] => [text.length, ...Buffer.from(text)]

/** One answer to the question for this type, and a CNAME before it if wanted. */
function answer(type: RecordType, data: readonly number[], alias = false): Buffer {
  const asked = Buffer.from(writeQuestion(id, name, type) ?? [])
  const question = asked.subarray(12, asked.length - 11)
  const head = [id >> 8, id & 0xff, 0x81, 0x80, 0, 1, 0, alias ? 2 : 1, 0, 0, 0, 0]
  const other = label('b')
  const cname = alias ? [...SAME, 0, 5, 0, 1, 0, 0, 0, 9, 0, other.length + 2, ...other, ...SAME] : []
  // Of the alias: where its data stands.
  const owner = alias ? [0xc0, 12 + question.length + 12] : SAME
  return Buffer.from([
    ...head,
    ...question,
    ...cname,
    ...owner,
    0,
    RECORD_TYPES[type],
    0,
    1,
    0,
    0,
    0,
    60,
    data.length >> 8,
    data.length & 0xff,
    ...data,
  ])
}

const naptr = [0, 1, 0, 2, ...label('s'), ...label('SIP+D2U'), 0, ...label('_sip'), ...label('_udp'), ...SAME]

/** A name server's answer, whoever wrote it, to each question that we ask. */
export const dnsTarget: FuzzTarget = {
  name: 'dns',
  seeds: () => [
    answer('A', [192, 0, 2, 1]),
    answer('A', [192, 0, 2, 1], true),
    answer('AAAA', [0x20, 1, 0xd, 0xb8, ...Array.from({ length: 11 }, () => 0), 1]),
    answer('SRV', [0, 1, 0, 2, 0x13, 0xc4, ...label('host'), ...SAME]),
    answer('NAPTR', naptr),
    Buffer.from([...answer('A', []).subarray(0, 29)]),
  ],
  run(bytes) {
    return types
      .map((type) => {
        const read = readAnswer(bytes, { id, name, type })
        if (read === undefined || read === 'truncated') return read ?? '-'
        if (read.kind === 'failed') return read.why.slice(0, 20)
        assert.ok(read.ttl >= 0 && read.ttl <= 0x7fffffff, `TTL ${read.ttl}`)
        if (read.kind === 'none') return 'none'
        assert.ok(read.records.length > 0 && read.records.length <= 64)
        for (const record of read.records) assert.equal(record.type, type)
        return `${type} ${Math.min(read.records.length, 3)}`
      })
      .join(' ')
  },
}
