import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const voipms: Dialect = {
  name: 'voipms',
  title: 'North American account trunks in the way of VoIP.ms',
  date: '2026-11-22',
  reason:
    'From must be the account; the number to show stands in Remote-Party-ID. Numbers of the North American plan come and go as ten digits, ' +
    'others with 00 or 011. Registrations are short because customers sit behind address translation.',
  settings: {
    registerSeconds: 180,
    dialledNumberIn: 'to',
    numberFormat: { in: 'national', out: 'national' },
    callerId: { rule: 'rpid', read: ['rpid', 'pai', 'from'] },
    codecs: ['PCMU', 'PCMA'],
  },
}
