import type { ConfigDocument } from '#server/config-store/index.ts'

export const domain = 'soak.example'
export const password = 'correct horse'
export const carriers = ['198.51.100.1', '198.51.100.2'] as const
/** Public numbers and what is behind them: a menu, a phone, a recorded phone. */
export const numbers = { menu: '+441632960001', phone: '+441632960002', recorded: '+441632960003' } as const
/** One phone each, extensions of the same name. */
export const users: readonly string[] = Array.from({ length: 40 }, (_, i) => String(200 + i))

/** A company with everything that a day of calls can touch. */
export const documents: readonly ConfigDocument[] = [
  {
    ...{ kind: 'company', id: 'soak', name: 'Soak', timezone: 'UTC', country: 'GB', language: 'en', sipDomains: [domain] },
    ...{
      mainNumber: 'menu',
      lampsShowCallers: true,
      parking: { slots: ['701', '702', '703'], seconds: 20, otherwise: { extension: '239' } },
    },
  },
  ...users.flatMap((user): ConfigDocument[] => [
    { kind: 'device', id: `phone-${user}`, username: user, password, algorithms: Number(user) % 2 === 0 ? ['MD5'] : ['SHA-256', 'MD5'] },
    { kind: 'extension', id: user, number: user, target: { device: `phone-${user}` }, pickupGroups: ['all'] },
  ]),
  { kind: 'prompt', id: 'welcome', text: 'Welcome. Calls are recorded.', recordingNotice: true },
  { kind: 'conference', id: 'room' },
  { kind: 'extension', id: '800', number: '800', target: { conference: 'room' } },
  {
    ...{ kind: 'ring-group', id: 'sales', strategy: 'steps', seconds: 8, noAnswer: { hangup: {} } },
    members: [{ extension: '210' }, { extension: '211' }, { extension: '212', step: 2 }],
  },
  {
    ...{ kind: 'flow', id: 'menu', start: 'welcome', waive: ['one-scenario'] },
    nodes: {
      welcome: { type: 'menu', prompts: ['welcome'], keys: { '0': 'bye', '1': 'sales' }, silenceSeconds: 4, retries: 1, wrong: 'bye' },
      sales: { type: 'ring', steps: [{ targets: [{ extension: '213' }, { extension: '214' }], seconds: 10 }], noAnswer: 'bye' },
      bye: { type: 'hangup' },
    },
  },
  {
    ...{ kind: 'flow', id: 'recorded', start: 'notice', waive: ['one-scenario'] },
    nodes: {
      notice: { type: 'play', prompts: ['welcome'], bargeIn: false, next: 'ring' },
      ring: { type: 'ring', steps: [{ targets: [{ extension: '215' }], seconds: 15 }], noAnswer: 'bye' },
      bye: { type: 'hangup' },
    },
  },
  { kind: 'number', id: 'menu', number: numbers.menu, target: { flow: 'menu' } },
  { kind: 'number', id: 'phone', number: numbers.phone, target: { extension: '216' } },
  { kind: 'number', id: 'recorded', number: numbers.recorded, target: { flow: 'recorded' } },
  { kind: 'recording', id: 'recorded', directions: ['inbound'], numbers: ['recorded'], mailTo: ['office@soak.example'] },
  ...carriers.map((host, i) => ({ kind: 'trunk', id: `carrier-${i + 1}`, host, port: 5060, transport: 'udp', channels: 50 })),
  { kind: 'outbound', id: 'out', routes: [{ trunks: ['carrier-1', 'carrier-2'] }], permissions: { unknown: true } },
  { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['carrier-1', 'carrier-2'], callback: 'menu' },
]
