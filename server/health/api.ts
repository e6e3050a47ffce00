import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Certificates } from '#server/certificates/certificates.ts'
import type { Exchange } from '#server/exchange/exchange.ts'
import type { Turns } from '#server/health/turns.ts'
import type { Journal } from '#server/journal/index.ts'
import type { MediaEngine } from '#media/engine.ts'
import type { Store } from '#server/store/index.ts'

export interface HealthNeeds {
  exchange: Exchange
  certificates: Pick<Certificates, 'troubles' | 'views'>
  store: Store
  journal: Journal
  media: MediaEngine
  turns: Pick<Turns, 'text'>
  listeners: () => number
  isDraining: () => boolean
}

/** Whether it lives, whether it should be sent calls, and figures for Prometheus. Without company data, and without a key: for machines beside it. */
export function healthApi(app: FastifyInstance, needs: HealthNeeds): void {
  app.get('/health/live', { schema: { summary: 'The process lives' } }, () => Promise.resolve({ live: true }))

  app.get('/health/ready', { schema: { summary: 'Calls are taken; what is degraded is named' } }, (_request, reply) => {
    const degraded = degradedOf(needs)
    const ready = !needs.isDraining() && needs.media.load.capacity > 0
    return reply.code(ready ? 200 : 503).send({ ready, draining: needs.isDraining(), degraded })
  })

  const registry = metricsOf(needs)
  app.get('/metrics', { schema: { summary: 'Figures for Prometheus' } }, async (_request, reply) =>
    reply.type(registry.contentType).send(`${await registry.metrics()}${needs.turns.text()}`),
  )
}

function degradedOf({ store, journal, certificates }: HealthNeeds): string[] {
  const kept = journal.health()
  return [
    ...(store.health().state === 'away' ? [`database: ${store.health().detail ?? 'away'}; history comes later`] : []),
    ...(kept.state === 'failing' ? [`journal: ${kept.lastError ?? 'cannot be written'}; ${kept.waiting} facts wait in memory`] : []),
    ...certificates.troubles,
    ...(kept.lost > 0 ? [`journal: ${kept.lost} facts were lost`] : []),
  ]
}

function transactionsOf({ agent }: Exchange): number {
  const { clients, servers, finished } = agent.counts.transactions
  return clients + servers - finished
}

function metricsOf({ exchange, store, journal, media, listeners, certificates }: HealthNeeds): Registry {
  const registry = new Registry()
  // The delay is sampled by a timer: one that fires a hundred times a second would cost an idle system most of its time.
  collectDefaultMetrics({ register: registry, prefix: 'centrala_', eventLoopMonitoringPrecision: 100 })
  const figures: readonly [name: string, help: string, read: () => number][] = [
    ['calls', 'Calls in progress', () => exchange.live.size],
    ['registrations', 'Contacts of phones registered', () => exchange.registrar.size],
    ['media_endpoints', 'Audio endpoints in use', () => media.load.endpoints],
    ['media_capacity', 'Audio endpoints there could be', () => media.load.capacity],
    ['database_up', '1 when PostgreSQL answers', () => (store.health().state === 'ready' ? 1 : 0)],
    ['journal_undrained', 'Facts not yet in the database', () => journal.health().undrained],
    ['journal_lost', 'Facts lost because the disk refused them', () => journal.health().lost],
    ['event_listeners', 'Connections to the event stream', listeners],
    ['sip_dialogs', 'SIP dialogs', () => exchange.agent.counts.dialogs],
    ['sip_challenges', 'Requests challenged since the start', () => exchange.agent.counts.challenged],
    ['sip_failed_authentications', 'Wrong passwords since the start', () => exchange.agent.counts.failedAuthentications],
    ['sip_messages_received', 'SIP messages received since the start', () => exchange.transport.counts.received],
    ['sip_messages_sent', 'SIP messages sent since the start', () => exchange.transport.counts.sent],
    ['sip_connections', 'SIP connections open: TCP, TLS, WebSocket', () => exchange.transport.counts.connectionsOpen],
    ['sip_shed', 'SIP requests refused for overload since the start', () => exchange.agent.counts.transactions.shed],
    ['sip_dropped', 'SIP messages not looked at since the start, of sources that are banned', () => exchange.bans.watch.dropped],
    ['sip_bans', 'Sources banned and logins shut out now', () => exchange.bans.list().length],
    ['sip_transactions', 'SIP transactions that wait for anything but retransmissions', () => transactionsOf(exchange)],
    [
      'sip_transactions_finished',
      'SIP transactions that only wait for retransmissions of the peer',
      () => exchange.agent.counts.transactions.finished,
    ],
    ['sip_subscriptions', 'Subscriptions of phones', () => exchange.presence.notifier.size],
    ['sip_trace_room_bytes', 'Bytes of memory for SIP messages that are kept to be looked at', () => exchange.trace.room],
    ['sip_trace_bytes', 'Bytes of SIP messages kept to be looked at', () => exchange.trace.bytes],
    ['timers', 'Timers of signalling and calls that run', () => exchange.timers],
    ['sip_handshakes', 'TLS handshakes and WebSocket upgrades under way', () => exchange.transport.handshaking],
    [
      'certificate_ends_seconds',
      'When the first of our certificates ends, Unix time',
      () => Math.min(...certificates.views.map(({ to }) => to)) / 1000,
    ],
    ['trunks_up', 'Trunks that answer', () => [...exchange.trunks].filter((link) => link.state === 'up').length],
    ['trunks_down', 'Trunks that do not', () => [...exchange.trunks].filter((link) => link.state === 'down').length],
  ]
  for (const [name, help, read] of figures) {
    new Gauge({
      name: `centrala_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  return registry
}
