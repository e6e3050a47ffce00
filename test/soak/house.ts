import { createHash } from 'node:crypto'
import type { Random } from '#base/ids.ts'
import { type Log, silentLog } from '#base/log.ts'
import { noMeter } from '#base/work-meter.ts'
import { type LocalEngine, openLocalEngine } from '#media/engine/local.ts'
import { seeded } from '#media/jitter/test-stream.ts'
import type { Recorder } from '#media/record/recorder.ts'
import { MemoryNetwork as AudioNetwork } from '#media/socket/memory-socket.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { compile } from '#server/config/compile.ts'
import { readValues } from '#server/config/read.ts'
import { validateCompany } from '#server/config/validate.ts'
import { Exchange } from '#server/exchange/exchange.ts'
import { type Journal, JournalDrain, openJournalOn } from '#server/journal/index.ts'
import { MemoryFiles } from '#server/journal/memory-files.ts'
import { FollowedCalls } from '#server/logging/followed.ts'
import { Prompts } from '#server/prompts/prompts.ts'
import { EventStream } from '#server/realtime/events.ts'
import type { SipSettings } from '#server/settings.ts'
import { MemoryTown } from '#sip/agent/memory-town.ts'
import { documents, password } from '#test/soak/company.ts'

/** Where the system is. */
export const server = { transport: 'udp', address: '192.0.2.1', port: 5060 } as const
export const tenant = 'soak'

const sip: SipSettings = {
  ...{ addresses: [server.address], port: server.port, ws: { port: 5066, path: '/sip' }, dnsServers: ['192.0.2.53'], publicAddress: null },
  ...{ tls: { port: 5061, wssPort: 5067, files: [], names: [], clientAuthorities: null }, localNetworks: ['0.0.0.0/0'], serviceRoute: [] },
  ...{
    stunServers: [],
    sharedTrunkSources: [],
    signatureAuthorities: null,
    neverBan: [],
    keepAliveSeconds: 25,
    sessions: { expires: 1_800, min: 90 },
  },
}

/** Everything that a house holds and that must go back to what it was when nobody calls. */
export interface Held {
  calls: number
  endpoints: number
  enginePairs: number
  recordings: number
  dialogs: number
  clients: number
  servers: number
  timers: number
  clockTasks: number
  registrations: number
  subscriptions: number
  openCalls: number
  undrained: number
  keptValues: number
  busyTrunkChannels: number
}

/**
 * The telephone system on virtual time: the exchange with its journal, what hears its facts, and a media engine, as `server/system.ts` puts
 * them together; networks, disk and database are in memory.
 */
export class House implements AsyncDisposable {
  readonly town: MemoryTown
  readonly audio: AudioNetwork
  readonly random: Random
  readonly exchange: Exchange
  readonly journal: Journal
  readonly engine: LocalEngine
  readonly callLog: CallLog
  /** How often each fact was told. */
  readonly told = new Map<string, number>()
  /** What the memory network notes of messages that came, for who wants to read it. */
  arrived: unknown[] = []
  /** While false the database takes nothing. */
  databaseTakes = true
  readonly #drain: JournalDrain
  readonly #recorder: ForgetfulRecorder
  #version = 0

  private constructor(parts: Pick<House, 'town' | 'audio' | 'random' | 'journal' | 'engine'> & { recorder: ForgetfulRecorder; log: Log }) {
    const { town, log } = parts
    const { clock } = town
    this.town = town
    this.audio = parts.audio
    this.random = parts.random
    this.journal = parts.journal
    this.engine = parts.engine
    this.#recorder = parts.recorder
    const prompts = new Prompts({
      folder: '/prompts',
      speech: { synthesize: (text) => Promise.resolve(`/said/${createHash('sha1').update(text).digest('hex')}.wav`) },
      lengthOf: () => Promise.resolve(1_000),
      log,
    })
    this.exchange = new Exchange({
      ...{ clock, random: this.random, log, sip, certificates: [], media: this.engine.media, journal: this.journal, prompts },
      archive: { place: (_tenant, id) => `/recordings/${id}.ogg`, finished: () => undefined },
      ...{ callLimit: 1_000, callsPerSecond: 200, passwordOf: () => password, secretOf: () => null },
      vault: { seal: (text) => text, unseal: (sealed) => sealed },
      transport: (_wheel, watch) => {
        const network = town.network.host(server.address, server.port, watch)
        this.arrived = network.arrived
        return Object.assign(network, { listening: [], handshaking: 0, useCertificates: () => undefined, seenBy: () => null })
      },
      trace: { bytes: 1_000_000 },
      meter: noMeter,
    })
    this.callLog = new CallLog()
    const events = new EventStream({ exchange: this.exchange, log: this.callLog })
    const followed = new FollowedCalls(clock, log)
    this.journal.subscribe((fact) => {
      this.told.set(fact.kind, (this.told.get(fact.kind) ?? 0) + 1)
      this.callLog.hear(fact)
      followed.hear(fact)
      events.hear(fact)
      this.exchange.presence.hear(fact)
      this.exchange.callbacks.hear(fact)
    })
    const sink = { write: () => (this.databaseTakes ? Promise.resolve() : Promise.reject(new Error('the database is away'))) }
    this.#drain = new JournalDrain({ journal: this.journal, sink, clock, log: silentLog })
  }

  /** A house with its company, open for calls. */
  static async open(seed: number): Promise<House> {
    const random = seededRandom(seed)
    const town = new MemoryTown({ delayMs: 2, jitterMs: 8, lossPercent: 1, duplicatePercent: 1 }, random)
    const log: Log = { ...silentLog, error: (what, fields) => void town.faults.push(`${what} ${JSON.stringify(fields)}`), child: () => log }
    const { clock } = town
    const recorder = new ForgetfulRecorder()
    const audio = new AudioNetwork({ keeps: false })
    const octets = Buffer.alloc(8_000, 0xd5)
    const engine = await openLocalEngine({
      ...{ range: { addresses: [server.address], first: 20_000, last: 20_999 }, folder: '/', clock, random, log, binder: audio, recorder },
      sounds: { read: () => Promise.resolve({ octets, stamp: '1' }), stampOf: () => Promise.resolve('1') },
    })
    const journal = await openJournalOn(new MemoryFiles(), { clock, log, segmentBytes: 128 * 1024 })
    const house = new House({ ...{ town, audio, random, journal, engine, recorder, log } })
    house.configure()
    await house.exchange.start()
    house.exchange.presence.begin()
    await town.pass(1_000)
    return house
  }

  /** Puts the company's documents in force as a new version. */
  configure(): void {
    const read = readValues(documents)
    const errors = validateCompany(read.documents, { promptMs: new Map([['welcome', 1_000]]) }).filter(
      ({ severity }) => severity === 'error',
    )
    if (read.problems.length + errors.length > 0) throw new Error(JSON.stringify([read.problems, errors]))
    const config = compile(read.documents)
    this.exchange.books.take({ tenant, version: ++this.#version, config })
    this.exchange.trunks.configure(tenant, config.trunks.values(), () => null)
    this.journal.append({ kind: 'config.changed', tenant, version: this.#version, author: 'soak', comment: 'again' })
  }

  get held(): Held {
    const { exchange, journal } = this
    const { dialogs, transactions } = exchange.agent.counts
    return {
      calls: exchange.live.size,
      endpoints: this.engine.media.load.endpoints,
      enginePairs: this.engine.host.core.living.length,
      recordings: this.#recorder.load.open,
      dialogs,
      clients: transactions.clients,
      servers: transactions.servers,
      timers: exchange.timers,
      clockTasks: this.town.clock.pending,
      registrations: exchange.registrar.size,
      subscriptions: journal.kept('subscription/').size,
      openCalls: journal.openCalls().length,
      undrained: journal.health().undrained,
      keptValues: journal.kept('').size,
      busyTrunkChannels: [...exchange.trunks].reduce((sum, { inUse }) => sum + inUse, 0),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.exchange.close()
    await this.#drain.close()
    await this.journal.close()
    await this.engine[Symbol.asyncDispose]()
  }
}

/** Repeatable chance whose draws never repeat in a day. */
function seededRandom(seed: number): Random {
  const dice = seeded(seed)
  const octet = (): string => dice.below(256).toString(16).padStart(2, '0')
  return { below: (limit) => dice.below(limit), hex: (bytes) => Array.from({ length: bytes }, octet).join('') }
}

/** Records nothing, and remembers nothing of what it recorded. */
class ForgetfulRecorder implements Recorder {
  #open = 0

  open({ file, startedAt }: Parameters<Recorder['open']>[0], events: Parameters<Recorder['open']>[1]): ReturnType<Recorder['open']> {
    this.#open++
    let stopped = false
    const stop = (at: number): void => {
      if (stopped) return
      stopped = true
      this.#open--
      queueMicrotask(() => events.onRecorded({ file, ms: at - startedAt, bytes: 1, turns: [], gaps: [] }))
    }
    return { file, frame: () => undefined, pause: () => undefined, resume: () => undefined, stop }
  }

  tick(): void {}

  close(): Promise<void> {
    return Promise.resolve()
  }

  get load(): Recorder['load'] {
    return { open: this.#open, queued: 0, shed: 0 }
  }
}
