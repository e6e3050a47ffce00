import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { DnsRecord } from '#sip/location/dns.ts'
import { RECORD_TYPES } from '#sip/location/dns.ts'

/** A name server on loopback, UDP and TCP, with a zone that tests change as they like: records by `TYPE name`. */
export class DnsServer implements AsyncDisposable {
  readonly port: number
  readonly zone = new Map<string, DnsRecord[]>()
  /** Questions answered, in order. */
  readonly asked: string[] = []
  ttl = 60
  /** It hears and says nothing. */
  isSilent = false
  /** What does not fit into so many bytes is asked for again over TCP. */
  udpBytes = 1232
  readonly #close: () => Promise<void>

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  static async open(): Promise<DnsServer> {
    const { udp, tcp, port } = await bothAtOnePort()
    const server = new DnsServer(port, async () => {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    })
    udp.on('message', (question, from) => {
      if (server.isSilent) return
      const answer = server.#answer(question)
      const fits = answer.length <= server.udpBytes
      const sent = fits ? answer : Buffer.from(answer.subarray(0, 12))
      if (!fits) {
        // Truncated: no answer records, the question again.
        sent.writeUInt16BE(0x8380, 2)
        sent.writeUInt16BE(0, 6)
      }
      udp.send(fits ? sent : Buffer.concat([sent, questionOf(question)]), from.port, from.address)
    })
    tcp.on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes: Buffer) => {
        const answer = server.#answer(bytes.subarray(2))
        socket.end(Buffer.concat([u16(answer.length), answer]))
      })
    })
    return server
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
  }

  #answer(question: Buffer): Buffer {
    const asked = questionOf(question)
    const number = asked.readUInt16BE(asked.length - 4)
    const type = Object.entries(RECORD_TYPES).find(([, each]) => each === number)?.[0] ?? ''
    const key = `${type} ${labelsOf(asked).join('.').toLowerCase()}`
    this.asked.push(key)
    const records = this.zone.get(key) ?? []
    const head = Buffer.concat([question.subarray(0, 2), u16(0x8180), u16(1), u16(records.length), u16(0), u16(0)])
    const answers = records.map((record) => {
      const data = dataOf(record)
      return Buffer.concat([u16(0xc00c), u16(number), u16(1), u16(0), u16(this.ttl), u16(data.length), data])
    })
    return Buffer.concat([head, asked, ...answers])
  }
}

/** The system gives a port that is free for TCP; for UDP it may be taken. */
async function bothAtOnePort() {
  for (;;) {
    const tcp = createServer()
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const bound = tcp.address()
    const port = bound === null || typeof bound === 'string' ? 0 : bound.port
    const udp = createSocket('udp4')
    udp.bind(port, '127.0.0.1')
    const failed = await once(udp, 'listening').then(
      () => false,
      () => true,
    )
    if (!failed) return { udp, tcp, port }
    tcp.close()
  }
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
}

function name(dotted: string): Buffer {
  return Buffer.concat([
    ...dotted
      .split('.')
      .filter((label) => label !== '')
      .map(text),
    Buffer.from([0]),
  ])
}

/** Name, type and class of the one question. */
function questionOf(message: Buffer): Buffer {
  return message.subarray(12, message.indexOf(0, 12) + 5)
}

function labelsOf(question: Buffer): string[] {
  const labels: string[] = []
  for (let at = 0; question[at] !== 0; at += 1 + (question[at] ?? 0))
    labels.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)))
  return labels
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number))
    case 'AAAA':
      throw new Error('this server knows no IPv6')
    case 'SRV':
      return Buffer.concat([u16(record.priority), u16(record.weight), u16(record.port), name(record.target)])
    case 'NAPTR':
      return Buffer.concat([
        ...[u16(record.order), u16(record.preference)],
        ...[text(record.flags), text(record.service), text(record.regexp), name(record.replacement)],
      ])
  }
}
