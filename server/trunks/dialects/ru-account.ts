import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const ruAccount: Dialect = {
  name: 'ru-account',
  title: 'Russian carriers that sell a number with an account (Rostelecom, MTS, Mango and others)',
  date: '2026-11-22',
  reason:
    'The registered account is the user of From, of Contact and of the Request-URI of inbound calls, so that the dialled number is in To. Numbers are ' +
    'written with 7 and without +. Callers stand in From; P-Asserted-Identity, where it comes, holds the number of the exchange.',
  settings: {
    registerSeconds: 300,
    dialledNumberIn: 'to',
    numberFormat: { in: 'e164', out: 'e164' },
    callerId: { rule: 'pai', read: ['from', 'pai'] },
    codecs: ['PCMA', 'PCMU'],
  },
}
