import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const sipgate: Dialect = {
  name: 'sipgate',
  title: 'sipgate trunking (Germany, United Kingdom)',
  date: '2026-11-22',
  reason:
    'The Request-URI of inbound calls holds the account, To the number that was dialled. Numbers are E.164 without +. From must be the account; ' +
    'the number to show stands in P-Preferred-Identity.',
  settings: {
    dialledNumberIn: 'to',
    numberFormat: { in: 'e164', out: 'e164' },
    callerId: { rule: 'ppi', read: ['pai', 'from'] },
    registerSeconds: 600,
  },
}
