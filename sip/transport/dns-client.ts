import { createSocket } from 'node:dgram'
import { getServers } from 'node:dns'
import { readFileSync } from 'node:fs'
import { connect, isIP, isIPv6 } from 'node:net'
import type { Clock, Millis } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Dns, DnsAnswer, DnsRecord, RecordType } from '#sip/location/dns.ts'
import { readAnswer, writeQuestion } from '#sip/location/dns-message.ts'
import { LITERAL } from '#sip/transport/datagrams.ts'

/** A name server, `port` 53 as a rule. */
export interface NameServer {
  address: string
  port: number
}

/** One attempt at one server. */
const PATIENCE_MS: Millis = 1_500
/** Times that each server is asked. */
const ROUNDS = 2
const MAX_SERVERS = 3
/** Questions under way; beyond, the answer is that nobody answered. */
const MAX_ASKING = 256
/** No answer about telephones is longer. */
const MAX_ANSWER_BYTES = 16_384

type Answered = ReturnType<typeof readAnswer>

/**
 * Asks name servers: over UDP from a new port each time, over TCP when the answer does not fit (RFC 7766), the next server when one is silent
 * or of no use. Names in the system's hosts file are answered from there.
 */
export class DnsClient implements Dns {
  readonly #clock: Clock
  readonly #random: Random
  readonly #servers: () => readonly NameServer[]
  readonly #hosts: () => ReadonlyMap<string, readonly string[]>
  #asking = 0

  /** `servers`: default those of the system, `hosts`: default its hosts file; asked for each question, as both change. */
  constructor(
    clock: Clock,
    random: Random,
    servers: () => readonly NameServer[] = systemServers,
    hosts: () => ReadonlyMap<string, readonly string[]> = systemHosts,
  ) {
    this.#clock = clock
    this.#random = random
    this.#servers = servers
    this.#hosts = hosts
  }

  async ask(name: string, type: RecordType): Promise<DnsAnswer> {
    const local = this.#fromHosts(name, type)
    if (local !== null) return local
    if (this.#asking >= MAX_ASKING) return { kind: 'failed', why: 'too many questions to name servers at once' }
    this.#asking++
    try {
      return await this.#askServers(name, type)
    } finally {
      this.#asking--
    }
  }

  #fromHosts(name: string, type: RecordType): DnsAnswer | null {
    if (type !== 'A' && type !== 'AAAA') return null
    const addresses = this.#hosts().get(name.toLowerCase())
    if (addresses === undefined) return null
    const records: DnsRecord[] = addresses.filter((each) => isIPv6(each) === (type === 'AAAA')).map((address) => ({ type, address }))
    return records.length > 0 ? { kind: 'records', records, ttl: 5 } : { kind: 'none', ttl: 5 }
  }

  async #askServers(name: string, type: RecordType): Promise<DnsAnswer> {
    const servers = this.#servers().slice(0, MAX_SERVERS)
    let why = servers.length === 0 ? 'there is no name server' : 'no name server answered'
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of servers) {
        const id = this.#random.below(0x10000)
        const question = writeQuestion(id, name, type)
        if (question === undefined) return { kind: 'none', ttl: 60 }
        const asked = { id, name, type }
        let answer = await this.#overUdp(server, question, (bytes) => readAnswer(bytes, asked))
        if (answer === 'truncated') answer = await this.#overTcp(server, question, (bytes) => readAnswer(bytes, asked))
        if (answer === undefined || answer === 'truncated') continue
        if (answer.kind !== 'failed') return answer
        why = answer.why
      }
    }
    return { kind: 'failed', why }
  }

  /** What is no answer to the question is not listened to: somebody may be guessing. */
  #overUdp({ address, port }: NameServer, question: Uint8Array, read: (bytes: Uint8Array) => Answered): Promise<Answered> {
    const { promise, resolve } = Promise.withResolvers<Answered>()
    const type = isIPv6(address) ? 'udp6' : 'udp4'
    const socket = createSocket({ type, lookup: LITERAL[type] })
    const patience = this.#clock.after(PATIENCE_MS, () => resolve(undefined))
    socket.on('error', () => resolve(undefined))
    socket.on('message', (bytes) => {
      const answer = read(bytes)
      if (answer !== undefined) resolve(answer)
    })
    socket.connect(port, address, () => socket.send(question))
    return promise.finally(() => {
      patience[Symbol.dispose]()
      socket.close()
    })
  }

  #overTcp({ address, port }: NameServer, question: Uint8Array, read: (bytes: Uint8Array) => Answered): Promise<Answered> {
    const { promise, resolve } = Promise.withResolvers<Answered>()
    const socket = connect({ host: address, port })
    const patience = this.#clock.after(PATIENCE_MS, () => resolve(undefined))
    let got = Buffer.alloc(0)
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk])
      const length = got.length < 2 ? 0 : got.readUInt16BE(0)
      if (length > MAX_ANSWER_BYTES || (length > 0 && got.length >= 2 + length)) resolve(read(got.subarray(2, 2 + length)))
    })
    socket.write(Buffer.concat([Buffer.from([question.length >> 8, question.length & 0xff]), question]))
    return promise.finally(() => {
      patience[Symbol.dispose]()
      socket.destroy()
    })
  }
}

/** The system's name servers, as `/etc/resolv.conf` names them. */
export function systemServers(): NameServer[] {
  return getServers().flatMap((server) => nameServer(server) ?? [])
}

/** Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; null for anything else. */
export function nameServer(text: string): NameServer | null {
  const [, bracketed, v4, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const address = bracketed ?? v4 ?? text
  return isIP(address) === 0 ? null : { address, port: port === undefined ? 53 : Number(port) }
}

const HOSTS_FILE = '/etc/hosts'

/** Addresses by name in lower case, from the system's hosts file; `localhost` is there in any case (RFC 6761 §6.3). */
function systemHosts(): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of linesOf(HOSTS_FILE)) {
    const [address = '', ...names] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names) found.set(name.toLowerCase(), [...(found.get(name.toLowerCase()) ?? []), address])
  }
  if (!found.has('localhost')) found.set('localhost', ['127.0.0.1', '::1'])
  return found
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
