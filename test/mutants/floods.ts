import { type Mutant, server } from '#test/mutants/mutant.ts'

const floods = 'test/abuse/floods.test.ts'
const forged = 'test/abuse/forged.test.ts'
const watch = 'sip/transport/source-watch.ts'

/** Of who floods, and who is listened to meanwhile. */
export const floodMutants: readonly Mutant[] = [
  {
    name: 'nobody is ever banned',
    ...{ file: watch, in: server },
    text: 'if (debt.points <= this.#budget || this.#bans.get(source) !== undefined) return',
    becomes: 'if (debt.points >= 0) return',
    test: { file: floods, name: 'of any method over UDP' },
    notices: /REGISTER .*actual: 'none'/,
  },
  {
    name: 'connections of who is banned are taken',
    ...{ file: 'sip/transport/connections.ts', in: server },
    text: 'this.inbox.watch?.admits(address) !== false',
    becomes: 'this.limits.connections > 0',
    test: { file: floods, name: 'over TCP' },
    notices: /strictly deep-equal.*Buffer/,
  },
  {
    name: 'garbage costs nothing',
    ...{ file: watch, in: server },
    text: 'garbage: 2,',
    becomes: 'garbage: 0,',
    test: { file: floods, name: 'of garbage' },
    notices: /cannot be understood.*'none'/,
  },
  {
    name: 'an office is banned like anybody',
    ...{ file: watch, in: server },
    text: 'return at !== undefined && this.#clock.now() - at < KNOWN_MS',
    becomes: 'return at === -1',
    test: { file: floods, name: 'from the address of an office' },
    notices: /who: '127\.0\.0\.1'/,
  },
  {
    name: 'an account may ask for any number of things',
    ...{ file: 'sip/auth/account-limit.ts', in: server },
    text: 'return bucket.take()',
    becomes: 'return bucket.take() || true',
    test: { file: floods, name: 'of subscriptions from a phone' },
    notices: /"200":\d{4}/,
  },
  {
    name: 'a ban cannot be ended',
    ...{ file: watch, in: server },
    text: 'return this.#bans.delete(source)\n  }\n\n  #hearsUnbanned',
    becomes: 'return this.#bans.get(source) !== undefined\n  }\n\n  #hearsUnbanned',
    test: { file: floods, name: 'one request ends a ban' },
    notices: /who: '127\.0\.0\.90'/,
  },
  {
    name: 'strangers from all over are all listened to',
    ...{ file: watch, in: server },
    text: 'this.#strangersFlood = true',
    becomes: 'this.#strangersFlood = false',
    test: { file: forged, name: 'from all over' },
    notices: /strangers are heard sparingly/,
  },
  {
    name: 'who writes the port of a phone is listened to like the phone',
    ...{ file: watch, in: server },
    text: 'if (port.points > this.#budget / 2) this',
    becomes: 'if (port.points > this.#budget / 2 && !this.#isKnown(portOf(source, from))) this',
    test: { file: forged, name: 'from the very address' },
    notices: /\d+ of \d+ were answered/,
  },
  {
    name: 'a phone whose port is forged is not heard, whatever it proves',
    ...{ file: watch, in: server },
    text: 'if (itself && isUrgent(bytes)) return true',
    becomes: 'if (itself && bytes.length === 0) return true',
    test: { file: forged, name: 'from the very address' },
    notices: /no answer \d+ came/,
  },
  {
    name: 'each fiftieth message holds the event loop for 30 ms',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    this.counts.received++\n',
    becomes:
      '    if (++this.counts.received % 50 === 0) for (const c = process.threadCpuUsage(); process.threadCpuUsage().user - c.user < 30_000; ) continue\n',
    test: { file: floods, name: 'of garbage' },
    notices: /\d+ of \d+ turns took over 20 ms/,
  },
  {
    name: 'a fault that nobody handles in each malformed message',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    countRefused(this.counts, malformed.rule)\n',
    becomes: "    countRefused(this.counts, malformed.rule)\n    void Promise.reject(new Error('broken'))\n",
    test: { file: floods, name: 'of garbage' },
    notices: /nobody handled/,
  },
]
