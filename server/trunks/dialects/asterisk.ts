import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const asterisk: Dialect = {
  name: 'asterisk',
  title: 'Another exchange: Asterisk, FreePBX and their kin',
  date: '2026-11-22',
  reason:
    'OPTIONS is answered with 401 or 404 by many of them, and they live all the same. The caller is in From; Remote-Party-ID says more when ' +
    'the other side was told to send it. A neighbour in the same house is not a carrier: Diversion tells what happened there.',
  settings: {
    dialledNumberIn: 'request-uri',
    numberFormat: { in: 'national', out: 'e164-plus' },
    callerId: { rule: 'rpid', read: ['rpid', 'pai', 'from'], forwarded: 'original' },
    diversion: 'diversion',
    healthAnswer: 'any',
  },
}
