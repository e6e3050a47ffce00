import { existsSync } from 'node:fs'
import staticFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { MediaEngine } from '#media/engine.ts'
import type { ApiKeys, IdempotencyKeys } from '#server/access/index.ts'
import { keysApi } from '#server/access/api.ts'
import { openApi } from '#server/api/app.ts'
import { bansApi } from '#server/bans/api.ts'
import { callsApi, timelineOf } from '#server/calls/api.ts'
import { desksApi } from '#server/desks/api.ts'
import { featuresApi } from '#server/features/api.ts'
import { conferencesApi } from '#server/conferences/api.ts'
import { monitorsApi } from '#server/monitoring/api.ts'
import { transfersApi } from '#server/calls/transfers-api.ts'
import { certificatesApi } from '#server/certificates/api.ts'
import type { Certificates } from '#server/certificates/certificates.ts'
import type { CallLog } from '#server/calls/call-log.ts'
import { configurationApi } from '#server/companies/api.ts'
import { tracedOf } from '#server/calls/ladder.ts'
import { captureApi } from '#server/capture/api.ts'
import type { Captures } from '#server/capture/captures.ts'
import type { ApplyNeeds } from '#server/companies/apply.ts'
import { credentialsApi } from '#server/devices/credentials-api.ts'
import { linesApi } from '#server/devices/api.ts'
import { doctorApi } from '#server/doctor/api.ts'
import type { Doctor } from '#server/doctor/system.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import { healthApi } from '#server/health/api.ts'
import type { Turns } from '#server/health/turns.ts'
import type { History } from '#server/history/index.ts'
import type { Journal } from '#server/journal/index.ts'
import { presenceApi } from '#server/presence/api.ts'
import { loggingApi } from '#server/logging/api.ts'
import type { FollowedCalls } from '#server/logging/followed.ts'
import { promptsApi } from '#server/prompts/api.ts'
import type { PromptFiles } from '#server/prompts/prompt-files.ts'
import type { Prompts } from '#server/prompts/prompts.ts'
import { type EventStream, eventsApi } from '#server/realtime/events.ts'
import { recordingsApi } from '#server/recordings/api.ts'
import type { Recordings } from '#server/recordings/index.ts'
import type { Store } from '#server/store/index.ts'
import { companiesApi } from '#server/tenants/api.ts'
import type { Tenants } from '#server/tenants/index.ts'

export interface ServeNeeds {
  clock: Clock
  log: Log
  exchange: Exchange
  certificates: Certificates
  history: History
  callLog: CallLog
  events: EventStream
  recordings: Recordings
  store: Store
  journal: Journal
  media: MediaEngine
  keys: ApiKeys
  idempotency: IdempotencyKeys
  tenants: Tenants
  apply: ApplyNeeds
  captures: Captures
  doctor: Doctor
  followed: FollowedCalls
  prompts: Prompts
  turns: Turns
  promptFiles: PromptFiles
  /** Folder of the built web app. */
  web: string
  isDraining: () => boolean
}

/** The web app loads only what comes from here, and talks only to here. */
const contentPolicy =
  "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'"

/** The API with every slice's routes, the event stream and the web app. Caller listens and closes. */
export async function serveApi(needs: ServeNeeds): Promise<FastifyInstance> {
  const { exchange } = needs
  const app = await openApi({
    clock: needs.clock,
    log: needs.log,
    keys: needs.keys,
    idempotency: needs.idempotency,
    meter: needs.turns,
    isCompany: (tenant) => exchange.books.current(tenant) !== null || needs.apply.store.tenants().includes(tenant),
  })
  await eventsApi(app, needs.events)
  callsApi(app, { clock: needs.clock, exchange, history: needs.history, log: needs.callLog })
  transfersApi(app, { exchange })
  conferencesApi(app, { exchange })
  monitorsApi(app, { exchange })
  featuresApi(app, { exchange })
  desksApi(app, { exchange })
  captureApi(app, {
    captures: needs.captures,
    traced: async (tenant, call) =>
      tracedOf(exchange.trace, await timelineOf({ log: needs.callLog, history: needs.history }, tenant, call)),
    addressTowards: (remote) => exchange.transport.localAddressFor(remote),
  })
  recordingsApi(app, needs.recordings)
  configurationApi(app, needs.apply)
  linesApi(app, exchange)
  presenceApi(app, exchange)
  credentialsApi(app, { books: exchange.books, store: needs.apply.store, tell: needs.apply.tell })
  promptsApi(app, { books: exchange.books, prompts: needs.prompts, files: needs.promptFiles })
  keysApi(app, needs.keys)
  companiesApi(app, needs.tenants, needs.keys)
  certificatesApi(app, needs.certificates)
  doctorApi(app, needs.doctor)
  bansApi(app, exchange.bans)
  loggingApi(app, needs.followed)
  healthApi(app, {
    exchange,
    certificates: needs.certificates,
    store: needs.store,
    journal: needs.journal,
    media: needs.media,
    turns: needs.turns,
    listeners: () => needs.events.size,
    isDraining: needs.isDraining,
  })
  if (existsSync(needs.web)) {
    await app.register(staticFiles, {
      root: needs.web,
      cacheControl: true,
      setHeaders: (reply) => void reply.header('content-security-policy', contentPolicy),
    })
  }
  return app
}
