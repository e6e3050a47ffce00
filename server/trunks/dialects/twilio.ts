import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const twilio: Dialect = {
  name: 'twilio',
  title: 'Twilio Elastic SIP Trunking',
  date: '2026-11-22',
  reason:
    'It neither registers nor is registered at: calls are let in by address or password. Every number is E.164 with +. The caller must be a ' +
    'number of the account, unless a Diversion header names one: then the original caller is shown.',
  settings: {
    dialledNumberIn: 'request-uri',
    numberFormat: { in: 'e164-plus', out: 'e164-plus' },
    callerId: { rule: 'asserted', read: ['pai', 'from'], forwarded: 'original' },
    diversion: 'diversion',
    codecs: ['PCMU', 'PCMA'],
  },
}
