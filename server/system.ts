import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '#base/clock.ts'
import type { Random } from '#base/ids.ts'
import type { Log } from '#base/log.ts'
import { MediaClient } from '#media/engine/client.ts'
import { dialUnix } from '#media/engine/unix-dial.ts'
import { readSound } from '#media/file/read-sound.ts'
import { openSpeech } from '#media/speech/speech.ts'
import { localKey } from '#server/access/local-keys.ts'
import { openApiKeys, openIdempotencyKeys, pruneIdempotencyKeys } from '#server/access/index.ts'
import { listenForHttp } from '#server/api/listen.ts'
import { serveApi } from '#server/api/serve.ts'
import type { ApplyNeeds } from '#server/companies/apply.ts'
import { bannerOf } from '#server/companies/banner.ts'
import { Companies } from '#server/companies/companies.ts'
import { recordingMailPolicy, smtpPolicy } from '#server/companies/mail-policy.ts'
import { secretsOf } from '#server/companies/secrets.ts'
import { soundLengths } from '#server/companies/sound-lengths.ts'
import { demoTenant, seedDemo } from '#server/companies/seed.ts'
import { Captures } from '#server/capture/captures.ts'
import { CallLog } from '#server/calls/call-log.ts'
import { Certificates } from '#server/certificates/certificates.ts'
import { namesToCertify } from '#server/certificates/names.ts'
import { recallBeginnings } from '#server/calls/recall-beginnings.ts'
import { quietMoment } from '#server/calls/hand-over.ts'
import { recoverCalls } from '#server/calls/recover.ts'
import { openConfigStore, secretKey, vaultOf } from '#server/config-store/index.ts'
import { dailyRound } from '#server/daily-round.ts'
import { Doctor } from '#server/doctor/system.ts'
import { Exchange } from '#server/exchange/exchange.ts'
import { meteredClock, openTurns } from '#server/health/turns.ts'
import { factSink, openHistory } from '#server/history/index.ts'
import { openJobs, pruneJobs } from '#server/jobs/index.ts'
import { JournalDrain, openJournal } from '#server/journal/index.ts'
import type { Banner } from '#server/keeper/messages.ts'
import { FollowedCalls } from '#server/logging/followed.ts'
import { openMailer } from '#server/mail/index.ts'
import { PromptFiles } from '#server/prompts/prompt-files.ts'
import { pruneSounds } from '#server/prompts/prune-sounds.ts'
import { Prompts } from '#server/prompts/prompts.ts'
import { EventStream } from '#server/realtime/events.ts'
import { expireRecordings, mailRecording, openRecordings, recordingMailJob } from '#server/recordings/index.ts'
import type { Settings } from '#server/settings.ts'
import { openStore } from '#server/store/index.ts'
import { openTenants } from '#server/tenants/index.ts'

export interface SystemParts {
  settings: Settings
  /** Folder of the program itself: examples, the built web app. */
  project: string
  clock: Clock
  random: Random
  log: Log
}

export type System = Awaited<ReturnType<typeof openSystem>>

/**
 * Builds the whole server by hand, each thing from what it needs, and takes up where an earlier life left off: configuration, registrations,
 * calls. Sockets open last. PostgreSQL need not be there: then history comes later.
 */
export async function openSystem(parts: SystemParts) {
  const { settings, random, log } = parts
  const turns = openTurns(parts.clock, log.child({ part: 'turns' }))
  const clock = meteredClock(parts.clock, turns)
  const { data } = settings.folders
  const { url, tenantUrl, systemUrl } = settings.database
  const store = openStore({
    urls: { owner: url ?? '', ...(tenantUrl !== null && { tenant: tenantUrl }), ...(systemUrl !== null && { system: systemUrl }) },
    clock,
    log: log.child({ part: 'store' }),
  })
  const tell: ApplyNeeds['tell'] = (fact) => void journal.append(fact)
  /** Of the system rather than of one company: every company is told. */
  const alarm = (rule: string, detail: string, severity: 'warning' | 'critical' = 'critical'): void => {
    for (const tenant of configs.tenants()) tell({ kind: 'alarm.raised', tenant, rule, severity, detail })
  }
  const journal = await openJournal({
    folder: join(data, 'journal'),
    clock,
    log: log.child({ part: 'journal' }),
    onTrouble: ({ refusing, detail }) => {
      log.error(refusing ? 'the journal cannot be written' : 'the journal is written again', { detail })
      if (refusing) alarm('disk-refuses', `facts of calls wait in memory: ${detail}`)
    },
  })
  const media = new MediaClient({ clock, random, log: log.child({ part: 'media' }) }, settings.media.sockets.map(dialUnix))
  const key = await secretKey(join(data, 'secret.key'))
  const configs = await openConfigStore({
    store,
    clock,
    log,
    key,
    folder: join(data, 'configuration'),
  })
  const history = openHistory(store, clock)
  const mailer = openMailer({ smtp: (tenant) => smtp(tenant), clock, outbox: settings.mail.outbox })
  const jobs = openJobs({
    store,
    clock,
    random,
    log: log.child({ part: 'jobs' }),
    handlers: new Map([
      [
        mailRecording,
        recordingMailJob({ store, recordings: () => recordings, history, mailer, journal, policy: (tenant) => mailWish(tenant), clock }),
      ],
    ]),
    onDead: (tenant, kind, why) =>
      tell({ kind: 'alarm.raised', tenant, rule: 'job-failed', severity: 'warning', detail: `${kind}: ${why}` }),
  })
  const recordings = openRecordings({ store, journal, jobs, clock, log: log.child({ part: 'recordings' }), root: join(data, 'recordings') })
  const prompts = new Prompts({
    folder: join(data, 'prompts'),
    speech: openSpeech({ folder: join(data, 'speech'), log: log.child({ part: 'speech' }) }),
    lengthOf: async (file) => {
      const sound = await readSound(file)
      return sound.kind === 'sound' ? sound.ms : null
    },
    log,
  })
  const promptFiles = new PromptFiles(join(data, 'prompts'), random)
  const certificates = new Certificates({
    clock,
    log: log.child({ part: 'certificates' }),
    folder: join(data, 'certificates'),
    files: settings.sip.tls.files,
    names: () => namesToCertify({ configured: settings.sip.tls.names, machine: hostname(), publicAddress: settings.sip.publicAddress }),
    alarm: (severity, detail) => alarm('certificate', detail, severity),
  })
  const exchange = new Exchange({
    certificates: certificates.served,
    meter: turns,
    clock,
    random,
    log: log.child({ part: 'sip' }),
    sip: settings.sip,
    media,
    journal,
    archive: recordings,
    prompts,
    callLimit: settings.calls.limit,
    callsPerSecond: settings.calls.perSecond,
    vault: vaultOf(key),
    secretOf: (tenant, secret) => secretsOf(configs, tenant)(secret),
    passwordOf: (tenant, device) => (device.password === null ? null : secretsOf(configs, tenant)(device.password)),
  })
  const smtp = smtpPolicy(exchange.books, configs, settings.mail)
  const mailWish = recordingMailPolicy(exchange.books)
  const companies = new Companies({
    store: configs,
    books: exchange.books,
    prompts,
    trunks: exchange.trunks,
    identity: exchange.identity,
    log,
  })
  const tenants = openTenants(store, clock)
  const apply: ApplyNeeds = {
    ...{ store: configs, random, tell },
    sounds: soundLengths((tenant, prompt, language) => prompts.lengthOf(tenant, prompt, language)),
    files: promptFiles,
    sources: { shared: exchange.trunks.shared, foundOfOthers: (tenant) => exchange.trunks.foundOfOthers(tenant) },
  }
  if (settings.demoCarrier.enabled && configs.tenants().length === 0) {
    await store.ready(30_000)
    await seedDemo({
      ...apply,
      tenants,
      examples: join(parts.project, 'examples', 'demo'),
      prompts: join(data, 'prompts'),
      carrierPort: settings.demoCarrier.port,
      log,
    })
  }
  const captures = new Captures({
    ...{ clock, log: log.child({ part: 'capture' }), folder: join(data, 'captures'), media, tell },
    call: (tenant, id) => exchange.live.get(tenant, id),
    addressTowards: (remote) => exchange.transport.localAddressFor(remote),
  })
  const followed = new FollowedCalls(clock, log.child({ part: 'followed' }))
  const callLog = new CallLog()
  const events = new EventStream({ exchange, log: callLog })
  const hearing = journal.subscribe((fact) => {
    callLog.hear(fact)
    captures.hear(fact)
    followed.hear(fact)
    events.hear(fact)
    exchange.presence.hear(fact)
    exchange.callbacks.hear(fact)
    if (fact.kind === 'config.changed') exchange.desks.examine(fact.tenant)
  })
  const inherited = journal.takeInherited()
  const callsBefore = journal.openCalls()
  for (const { tenant, call } of callsBefore) callLog.recall(tenant, call, inherited.get(call) ?? [])
  companies.start()
  exchange.devices.restore()
  await media.whenReady(5_000)
  const recovered = recoverCalls({
    calls: exchange.calls,
    journal,
    live: exchange.live,
    books: exchange.books,
    conduct: exchange.conduct,
    monitors: exchange.monitors,
    log,
  })
  exchange.presence.restore(exchange.live.all())
  exchange.callbacks.restore()
  exchange.desks.restore()
  media.sweep()
  if (recovered.recovered + recovered.lost > 0) log.info('took up calls of before', recovered)
  await exchange.start()
  certificates.onChange = (served) => exchange.transport.useCertificates(served)
  certificates.start()
  exchange.presence.begin()
  const drain = new JournalDrain({
    journal,
    sink: factSink({ store, log, onRefused: (fact, why) => alarm('fact-refused', `${fact.kind}: ${why}`) }),
    clock,
    log: log.child({ part: 'drain' }),
  })
  const recall = (): void => void recallBeginnings({ calls: callsBefore, live: exchange.live, log: callLog, history, events, trouble: log })
  const watch = store.onChange((health) => {
    if (health.state !== 'ready') return
    drain.wake()
    recall()
  })
  if (store.health().state === 'ready') recall()
  const round = dailyRound(clock, log.child({ part: 'round' }), [
    { name: 'forget old idempotency keys', work: () => pruneIdempotencyKeys(store, clock) },
    { name: 'delete old packet captures', work: () => captures.prune() },
    {
      name: 'delete recordings whose time is over',
      work: () => expireRecordings({ store, clock, log: log.child({ part: 'recordings' }), root: join(data, 'recordings') }),
    },
    { name: 'forget old jobs', work: () => pruneJobs(store, clock) },
    { name: 'remove sounds that no version plays', work: () => pruneSounds({ configs, files: promptFiles, clock }) },
  ])
  const keys = openApiKeys(store, clock)
  let draining = false
  const doctor = new Doctor({
    ...{ settings, clock, random, media, exchange, store, journal, certificates, smtp },
    tenants: () => configs.tenants(),
  })
  const api = await serveApi({
    ...{
      clock,
      log: log.child({ part: 'api' }),
      exchange,
      certificates,
      history,
      callLog,
      events,
      recordings,
      store,
      journal,
      media,
      keys,
      tenants,
      apply,
      captures,
      doctor,
      followed,
      prompts,
      turns,
    },
    promptFiles,
    idempotency: openIdempotencyKeys(store, clock),
    web: join(parts.project, 'web', 'dist'),
    isDraining: () => draining,
  })
  await listenForHttp(api, settings.http)
  const page = `http://${settings.http.address.replace('0.0.0.0', '127.0.0.1')}:${settings.http.port}/`

  return {
    ...{ settings, exchange, journal, store, callLog, configs },
    /** Makes the keys of this machine's own user, once the database is there; `null` while it is not. */
    async banner(): Promise<Banner> {
      const operator = join(data, 'operator.key')
      const make = async (): Promise<string> => {
        await localKey(keys, operator, { tenant: null, name: 'Operator at the terminal', role: 'operator' })
        return localKey(keys, join(data, 'page.key'), { tenant: demoTenant, name: 'The page of the demo company', role: 'owner' })
      }
      // On a busy machine the database may be away for a moment just now; a first start without keys would be of little use.
      const keyed = await make()
        .catch(async () => {
          await store.ready(15_000)
          return make()
        })
        .catch((fault: unknown) => {
          log.warn('the keys of this machine could not be made; they are with the next start', { fault: String(fault) })
          return null
        })
      return bannerOf({ settings, configs, books: exchange.books, signIn: null, page: keyed === null ? page : `${page}#key=${keyed}` })
    },
    /** How much is going on. */
    busyness: {
      calls: () => exchange.live.size,
      asked: () => exchange.transport.counts.received + exchange.transport.counts.connectionsOpened,
    },
    /** No new calls; resolves when the last has ended. */
    drained(retryAfterSeconds: number): Promise<void> {
      draining = true
      return exchange.drained(retryAfterSeconds)
    },
    /**
     * For a next life that stands by: waits for a moment in which it can take over every call, `limitMs` at most, and until everything is on
     * disk. Nothing is closed and nobody is told: whoever calls this ends the process at once, as a death would, which loses nothing.
     */
    async handOver(limitMs: number): Promise<void> {
      const cut = await quietMoment(clock, () => exchange.live.all(), limitMs)
      if (cut > 0) log.warn('calls that are being connected cannot be handed over', { calls: cut })
      await new Promise<void>((kept) => journal.whenKept(kept))
    },
    /** Ends what still runs, in the reverse order. Calls in progress are ended, told true. */
    async close(): Promise<void> {
      for (const call of [...exchange.live.all()]) call.end({ kind: 'failed', by: 'us', detail: 'the system was shut down' })
      await api.close()
      companies.close()
      certificates.close()
      await exchange.close()
      media.close()
      hearing[Symbol.dispose]()
      round[Symbol.dispose]()
      watch[Symbol.dispose]()
      await jobs.close()
      await recordings.close()
      await drain.close()
      mailer.close()
      await configs[Symbol.asyncDispose]()
      await journal.close()
      await store.close()
    },
  }
}
