import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const telekomDe: Dialect = {
  name: 'telekom-de',
  title: 'Deutsche Telekom SIP trunks (1TR118, 1TR119)',
  date: '2026-11-22',
  reason:
    'One registration for the whole trunk, over a stream transport, refreshed before 8 minutes are over. Numbers are global, with + and user=phone. The ' +
    'caller is shown by From; the network number of the trunk stands in P-Preferred-Identity, which the network turns into P-Asserted-Identity.',
  settings: {
    transport: 'tcp',
    registerSeconds: 480,
    dialledNumberIn: 'request-uri',
    numberFormat: { in: 'e164-plus', out: 'e164-plus' },
    userPhone: true,
    callerId: { rule: 'ppi', read: ['pai', 'from'] },
    diversion: 'history-info',
  },
}
