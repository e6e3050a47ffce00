import type { Dialect } from '#server/trunks/dialects/dialect.ts'

export const ciscoCube: Dialect = {
  name: 'cisco-cube',
  title: 'Cisco Unified Border Element, and carriers that stand behind one',
  date: '2026-11-22',
  reason:
    'Numbers go without + unless a voice translation rule of the other side adds it. Caller and called party of forwarded calls are told by ' +
    'Diversion, the caller by P-Asserted-Identity. A gateway whose circuits are down answers OPTIONS with 503, else with 200.',
  settings: {
    dialledNumberIn: 'request-uri',
    numberFormat: { in: 'e164', out: 'e164' },
    callerId: { rule: 'asserted', read: ['pai', 'rpid', 'from'], forwarded: 'original' },
    diversion: 'diversion',
    healthAnswer: '2xx',
  },
}
