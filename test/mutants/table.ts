import { floodMutants } from '#test/mutants/floods.ts'
import { loginMutants } from '#test/mutants/logins.ts'
import { messageMutants } from '#test/mutants/messages.ts'
import { engine, type Mutant, server } from '#test/mutants/mutant.ts'
import { noiseMutants } from '#test/mutants/noise.ts'

const loops = 'test/abuse/loops.test.ts'
const fraud = 'test/abuse/fraud.test.ts'
const connections = 'test/abuse/connections.test.ts'
const audio = 'test/attack/rtp.test.ts'

/** Every test of abuse is here at least once: one that no broken product fails proves nothing. */
export const mutants: readonly Mutant[] = [
  ...loginMutants,
  ...noiseMutants,
  ...floodMutants,
  ...messageMutants,
  {
    name: 'a forward is followed round and round',
    ...{ file: 'calls/redirects.ts', in: server },
    text: 'if (this.#seen.includes(number)) continue',
    becomes: 'if (this.#seen.includes(`x${number}`)) continue',
    test: { file: loops, name: 'two phones that forward' },
    notices: /\]: \d+ and \d+ /,
  },
  {
    name: 'hops are not counted down',
    ...{ file: 'calls/outbound-leg.ts', in: server },
    text: 'spec.maxForwards = Math.max(0, hops - 1)',
    becomes: 'spec.maxForwards = hops',
    test: { file: loops, name: 'a call that a carrier sends back' },
    notices: /486 !== 483/,
  },
  {
    name: 'a challenge is answered however often it comes',
    ...{ file: 'sip/auth/client.ts', in: server },
    text: 'const fresh = firstOfEachRealm(ours)\n',
    becomes: 'const fresh = firstOfEachRealm(ours)\n    answered = 0\n',
    test: { file: loops, name: 'a carrier that asks for the password' },
    notices: /asked \d\d times/,
  },
  {
    name: 'whoever asks in a call is shown a proof',
    ...{ file: 'sip/agent/dialog-sender.ts', in: server },
    text: '    this.#credentials = credentials\n',
    becomes: "    this.#credentials = credentials ?? { user: 'line', password: 'secret of the line' }\n",
    test: { file: loops, name: 'who is called, or hung up on' },
    notices: /(?:INVITE|BYE) sip:.*actual: 'Digest /,
  },
  {
    name: 'any class of number may be dialled',
    ...{ file: 'server/outbound/permit.ts', in: server },
    text: 'if (!outbound.permissions[number.class]) {',
    becomes: 'if (outbound === undefined) {',
    test: { file: fraud, name: 'reaches no expensive number' },
    notices: /strictly deep-equal.*INVITE sip:/,
  },
  {
    name: 'strangers are not told from the peer',
    ...{ file: 'media/engine/accept.ts', in: engine },
    text: "return address === this.#from ? 'new' : 'stranger'",
    becomes: "return 'new'",
    test: { file: audio, name: 'to a phone whose SDP' },
    notices: /packets to the attackers|frames of the attackers|by: 'rtp', .* kind: 'digit.pressed'/,
  },
  {
    name: 'whoever comes first is the peer behind NAT',
    ...{ file: 'media/engine/accept.ts', in: engine },
    text: "return address === this.#from ? 'new' : 'stranger'",
    becomes: "return this.#from !== null ? 'new' : 'stranger'",
    test: { file: audio, name: 'to a phone behind NAT' },
    notices: /packets to the attackers|frames of the attackers|by: 'rtp', .* kind: 'digit.pressed'/,
  },
  {
    name: 'any number of calls a second is taken',
    ...{ file: 'server/dialplan/switchboard.ts', in: server },
    text: 'else if (!this.#needs.rate.takes(book.tenant)) {',
    becomes: 'else if (book === undefined) {',
    test: { file: 'test/abuse/overload.test.ts', name: 'nine of ten' },
    notices: /"answered":\d{3,}/,
  },
  {
    name: 'who came first keeps the place',
    ...{ file: 'sip/transport/connections.ts', in: server },
    text: 'this.size < connections || this.#makeRoom()',
    becomes: 'this.size < connections',
    test: { file: connections, name: 'over TCP, that say nothing' },
    notices: /"made":[01]?\d{1,3},|401/,
  },
  {
    name: 'of those who shake hands who came first keeps the place',
    ...{ file: 'sip/transport/doorway.ts', in: server },
    text: '    if (this.#waiting.size >= limits.handshakes && longest !== undefined) this.#throwOut(longest)\n',
    becomes: '    if (this.#waiting.size >= limits.handshakes && longest !== undefined) return refuse(socket)\n',
    test: { file: connections, name: 'over TLS, that never finish' },
    notices: /secure TLS connection|ECONNRESET/,
  },
  {
    name: 'a message may take for ever',
    ...{ file: 'sip/transport/tcp.ts', in: server },
    text: 'else if (!this.#message.running) this.#message.start',
    becomes: 'else this.#message.start',
    test: { file: connections, name: 'that drip their message' },
    notices: /all are closed: not within/,
  },
  {
    name: 'a packet that fails its check is taken as it is',
    ...{ file: 'media/pipeline/receiver.ts', in: engine },
    text: ': this.#secrecy.open(datagram)\n',
    becomes: ': (this.#secrecy.open(datagram) ?? datagram)\n',
    test: { file: audio, name: 'packets that fail their check' },
    notices: /frames of the attackers/,
  },
]
