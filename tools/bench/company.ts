/** Numbers of the company that is measured. */
export const numbers = {
  answer: '+441632960001',
  bridge: '+441632960002',
  prompt: '+441632960003',
  conference: '+441632960004',
  /** Bridged to a carrier whose audio is encrypted. */
  sealed: '+441632960005',
} as const

/** Where the far end of bridged calls listens. */
export const farEnd = { address: '127.0.20.1', port: 5070 } as const

export const domain = 'bench.local'

export const devices = Array.from({ length: 1000 }, (_, i) => String(1000 + i))

const menu = (id: string, prompt: string, silenceSeconds: number) => ({
  kind: 'flow',
  id,
  start: 'menu',
  nodes: {
    menu: { type: 'menu', prompts: [prompt], keys: { '0': 'bye' }, silenceSeconds, retries: 9, wrong: 'bye' },
    bye: { type: 'hangup' },
  },
  waive: ['one-scenario'],
})

/** A number that answers, one that bridges to a carrier, one that plays a prompt for long, and these phones. */
export const documentsFor = (users: readonly string[]): readonly object[] => [
  {
    kind: 'company',
    id: 'bench',
    name: 'Bench',
    timezone: 'UTC',
    country: 'GB',
    language: 'en',
    sipDomains: [domain],
    mainNumber: 'answer',
    mediaKeysInClear: true,
  },
  { kind: 'prompt', id: 'short', text: '.', recordingNotice: true },
  { kind: 'prompt', id: 'long', text: 'Thank you for calling. This prompt is listened to by many callers at once. '.repeat(4).trim() },
  { kind: 'number', id: 'answer', number: numbers.answer, target: { flow: 'answer' } },
  { kind: 'number', id: 'bridge', number: numbers.bridge, target: { external: '+441632960099' } },
  { kind: 'number', id: 'prompt', number: numbers.prompt, target: { flow: 'prompt' } },
  { kind: 'number', id: 'meet', number: numbers.conference, target: { conference: 'meet' } },
  { kind: 'number', id: 'sealed', number: numbers.sealed, target: { external: '+441632960199' } },
  { kind: 'conference', id: 'meet', maxMembers: 200, tones: false, music: false },
  menu('answer', 'short', 60),
  menu('prompt', 'long', 1),
  { kind: 'trunk', id: 'load', host: farEnd.address, port: farEnd.port, addresses: ['127.0.0.0/8'], healthSeconds: 0 },
  // The same far end, asked for encrypted audio; what comes in from it is the other trunk's.
  {
    ...{ kind: 'trunk', id: 'sealed', host: farEnd.address, port: farEnd.port, addresses: ['192.0.2.1'], healthSeconds: 0 },
    encryption: 'required',
  },
  {
    ...{ kind: 'outbound', id: 'out', routes: [{ prefixes: ['+4416329601'], trunks: ['sealed'] }, { trunks: ['load'] }] },
    permissions: { unknown: true, national: true, mobile: true },
  },
  { kind: 'emergency', id: 'emergency', numbers: ['112'], trunks: ['load'], callback: 'answer' },
  ...users.map((name) => ({ kind: 'device', id: `d${name}`, username: name, password: passwordOf(name), algorithms: ['MD5'] })),
]

export function passwordOf(user: string): string {
  return `pw${user}`
}

/** The same phones for SIPp: user, credentials, domain. */
export function usersForSipp(): string {
  const lines = devices.map((name) => `${name};[authentication username=${name} password=${passwordOf(name)}];${domain}`)
  return `SEQUENTIAL\n${lines.join('\n')}\n`
}
