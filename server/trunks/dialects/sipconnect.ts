import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const sipconnect: Dialect = {
  name: 'sipconnect',
  title: 'SIPconnect 2.0 of the SIP Forum; many business trunks in Europe and North America follow it',
  date: '2026-11-22',
  reason:
    'Numbers are global, with +, and carry user=phone (§10). The caller is in From and P-Asserted-Identity, hidden ones by Privacy id (§13). ' +
    'Forwarded calls say so in History-Info (§14).',
  settings: {
    dialledNumberIn: 'request-uri',
    numberFormat: { in: 'e164-plus', out: 'e164-plus' },
    userPhone: true,
    callerId: { rule: 'asserted', read: ['pai', 'from'], trusted: true },
    diversion: 'history-info',
  },
}
