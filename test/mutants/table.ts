import { loginMutants } from '#test/mutants/logins.ts'
import { noiseMutants } from '#test/mutants/noise.ts'
import { engine, type Mutant, server } from '#test/mutants/mutant.ts'

const floods = 'test/abuse/floods.test.ts'
const messages = 'test/abuse/messages.test.ts'
const loops = 'test/abuse/loops.test.ts'
const fraud = 'test/abuse/fraud.test.ts'
const forged = 'test/abuse/forged.test.ts'
const watch = 'sip/transport/source-watch.ts'

/** Every test of abuse is here at least once: one that no broken product fails proves nothing. */
export const mutants: readonly Mutant[] = [
  ...loginMutants,
  ...noiseMutants,
  {
    name: 'nobody is ever banned',
    ...{ file: watch, in: server },
    text: 'if (debt.points <= this.#budget || this.#bans.get(source) !== undefined) return',
    becomes: 'if (debt.points >= 0) return',
    test: { file: floods, name: 'of any method over UDP' },
  },
  {
    name: 'connections of who is banned are taken',
    ...{ file: 'sip/transport/connections.ts', in: server },
    text: 'this.inbox.watch?.admits(address) !== false',
    becomes: 'this.limits.connections > 0',
    test: { file: floods, name: 'over TCP' },
  },
  {
    name: 'garbage costs nothing',
    ...{ file: watch, in: server },
    text: 'garbage: 2,',
    becomes: 'garbage: 0,',
    test: { file: floods, name: 'of garbage' },
  },
  {
    name: 'an office is banned like anybody',
    ...{ file: watch, in: server },
    text: 'return at !== undefined && this.#clock.now() - at < KNOWN_MS',
    becomes: 'return at === -1',
    test: { file: floods, name: 'from the address of an office' },
  },
  {
    name: 'an account may ask for any number of things',
    ...{ file: 'sip/auth/account-limit.ts', in: server },
    text: 'return bucket.take()',
    becomes: 'return bucket.take() || true',
    test: { file: floods, name: 'of subscriptions from a phone' },
  },
  {
    name: 'a ban cannot be ended',
    ...{ file: watch, in: server },
    text: 'return this.#bans.delete(source)\n  }\n\n  #hearsUnbanned',
    becomes: 'return this.#bans.get(source) !== undefined\n  }\n\n  #hearsUnbanned',
    test: { file: floods, name: 'one request ends a ban' },
  },
  {
    name: 'strangers from all over are all listened to',
    ...{ file: watch, in: server },
    text: 'this.#strangersFlood = true',
    becomes: 'this.#strangersFlood = false',
    test: { file: forged, name: 'from all over' },
  },
  {
    name: 'of each stranger as much is kept as of a phone',
    ...{ file: 'sip/transaction/layer.ts', in: server },
    text: 'return this.#strangers >= this.#maxStrangers &&',
    becomes: 'return this.#strangers < 0 &&',
    test: { file: forged, name: 'from all over' },
  },
  {
    name: 'who writes the port of a phone is listened to like the phone',
    ...{ file: watch, in: server },
    text: 'if (port.points > this.#budget / 2) this',
    becomes: 'if (port.points > this.#budget / 2 && !this.#isKnown(portOf(source, from))) this',
    test: { file: forged, name: 'from the very address' },
  },
  {
    name: 'a phone whose port is forged is not heard, whatever it proves',
    ...{ file: watch, in: server },
    text: 'if (itself && isUrgent(bytes)) return true',
    becomes: 'if (itself && bytes.length === 0) return true',
    test: { file: forged, name: 'from the very address' },
  },
  {
    name: 'each fiftieth message holds the event loop for 30 ms',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    this.counts.received++\n',
    becomes:
      '    if (++this.counts.received % 50 === 0) for (const c = process.threadCpuUsage(); process.threadCpuUsage().user - c.user < 30_000; ) continue\n',
    test: { file: floods, name: 'of garbage' },
  },
  {
    name: 'a fault that nobody handles in each malformed message',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    countRefused(this.counts, malformed.rule)\n',
    becomes: "    countRefused(this.counts, malformed.rule)\n    void Promise.reject(new Error('broken'))\n",
    test: { file: floods, name: 'a flood harms nobody' },
  },
  {
    name: 'the engine stands still for 200 ms when something comes to a port whose call is over',
    ...{ file: 'media/socket/direct-socket.ts', in: engine },
    text: '        this.#ignore()\n        return taken\n',
    becomes:
      '        this.#ignore()\n        for (const c = performance.now(); performance.now() - c < 200; ) continue\n        return taken\n',
    test: { file: messages, name: 'garbage at every audio port' },
  },
  {
    name: 'the engine loses one packet of a hundred when something comes to a port whose call is over',
    ...{ file: 'media/socket/direct-socket.ts', in: engine },
    text: '        this.#ignore()\n        return taken\n',
    becomes: `
        this.#ignore()
        let sent = 0
        const send = DirectSocket.prototype.send
        if (!send.name.startsWith('lossy'))
          DirectSocket.prototype.send = function lossy(packet, to) {
            if (++sent % 100 !== 0) send.call(this, packet, to)
          }
        return taken\n`,
    test: { file: messages, name: 'garbage at every audio port' },
  },
  {
    name: 'a message with two lengths is taken by the first',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: "if (found !== undefined) return 'duplicate'",
    becomes: 'if (found !== undefined) return Number(found)',
    test: { file: messages, name: 'a request hidden in the body' },
  },
  {
    name: 'one of a pipeline is lost',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: '      if (this.#refused) break\n',
    becomes: '      break\n',
    test: { file: messages, name: 'honest neighbours' },
  },
  {
    name: 'an odd header takes time by the square of its length',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    const message = parseMessage(bytes)\n',
    becomes:
      '    for (let i = 0; i < (bytes.length / 600) ** 4; i++) bytes.at(i % bytes.length)\n    const message = parseMessage(bytes)\n',
    test: { file: messages, name: 'messages of any size and shape' },
  },
  {
    name: 'a call that is refused keeps its audio ports',
    ...{ file: 'calls/inbound-leg.ts', in: server },
    text: '    media.close()\n',
    becomes: '',
    test: { file: messages, name: 'bombs of SDP from a phone' },
  },
  {
    name: 'a body of any depth breaks the API',
    ...{ file: 'server/api/app.ts', in: server },
    text: '    const told = problemOf(fault)\n',
    becomes: '    const told = { ...problemOf(fault), status: 500 as const }\n',
    test: { file: messages, name: 'JSON as deep as a well' },
  },
  {
    name: 'a forward is followed round and round',
    ...{ file: 'calls/redirects.ts', in: server },
    text: 'if (this.#seen.has(number)) continue',
    becomes: 'if (this.#seen.has(`x${number}`)) continue',
    test: { file: loops, name: 'two phones that forward' },
  },
  {
    name: 'hops are not counted down',
    ...{ file: 'calls/outbound-leg.ts', in: server },
    text: 'maxForwards: Math.max(0, call.identity.hops - 1)',
    becomes: 'maxForwards: call.identity.hops',
    test: { file: loops, name: 'a call that a carrier sends back' },
  },
  {
    name: 'a challenge is answered however often it comes',
    ...{ file: 'sip/auth/client.ts', in: server },
    text: 'const fresh = firstOfEachRealm(ours)\n',
    becomes: 'const fresh = firstOfEachRealm(ours)\n    answered = 0\n',
    test: { file: loops, name: 'a carrier that asks for the password' },
  },
  {
    name: 'whoever asks in a call is shown a proof',
    ...{ file: 'sip/agent/dialog-sender.ts', in: server },
    text: '    this.#credentials = credentials\n',
    becomes: "    this.#credentials = credentials ?? { user: 'line', password: 'secret of the line' }\n",
    test: { file: loops, name: 'who is called, or hung up on' },
  },
  {
    name: 'any class of number may be dialled',
    ...{ file: 'server/outbound/permit.ts', in: server },
    text: 'if (!outbound.permissions[number.class]) {',
    becomes: 'if (outbound === undefined) {',
    test: { file: fraud, name: 'reaches no expensive number' },
  },
  {
    name: 'strangers are not told from the peer',
    ...{ file: 'media/engine/accept.ts', in: engine },
    text: "return address === this.#from ? 'new' : 'stranger'",
    becomes: "return 'new'",
    test: { file: 'test/attack/rtp.test.ts', name: 'to a phone whose SDP' },
  },
  {
    name: 'whoever comes first is the peer behind NAT',
    ...{ file: 'media/engine/accept.ts', in: engine },
    text: "return address === this.#from ? 'new' : 'stranger'",
    becomes: "return this.#from !== null ? 'new' : 'stranger'",
    test: { file: 'test/attack/rtp.test.ts', name: 'to a phone behind NAT' },
  },
  {
    name: 'any number of calls a second is taken',
    ...{ file: 'server/dialplan/switchboard.ts', in: server },
    text: 'else if (!this.#needs.rate.takes(book.tenant)) {',
    becomes: 'else if (book === undefined) {',
    test: { file: 'test/abuse/overload.test.ts', name: 'nine of ten' },
  },
  {
    name: 'who came first keeps the place',
    ...{ file: 'sip/transport/connections.ts', in: server },
    text: 'this.size < connections || this.#makeRoom()',
    becomes: 'this.size < connections',
    test: { file: 'test/abuse/connections.test.ts', name: 'over TCP, that say nothing' },
  },
  {
    name: 'of those who shake hands who came first keeps the place',
    ...{ file: 'sip/transport/doorway.ts', in: server },
    text: '    if (this.#waiting.size >= limits.handshakes && longest !== undefined) this.#throwOut(longest)\n',
    becomes: '    if (this.#waiting.size >= limits.handshakes && longest !== undefined) return refuse(socket)\n',
    test: { file: 'test/abuse/connections.test.ts', name: 'over TLS, that never finish' },
  },
  {
    name: 'a message may take for ever',
    ...{ file: 'sip/transport/tcp.ts', in: server },
    text: 'else if (!this.#message.running) this.#message.start',
    becomes: 'else this.#message.start',
    test: { file: 'test/abuse/connections.test.ts', name: 'that drip their message' },
  },
  {
    name: 'a message over TLS that cannot be understood ends the process',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    countRefused(this.counts, malformed.rule)\n',
    becomes: "    countRefused(this.counts, malformed.rule)\n    if (flow.transport === 'tls') process.exit(3)\n",
    test: { file: 'test/abuse/torture.test.ts', name: 'over tls' },
  },
  {
    name: 'a header said again by its short name is taken',
    ...{ file: 'sip/message/head.ts', in: server },
    text: "& bit) !== 0) this.#refuse('duplicate', at)",
    becomes: "& bit) !== 0 && /^[\\w-]{2}/.test(this.#text.slice(at))) this.#refuse('duplicate', at)",
    test: { file: 'test/abuse/torture.test.ts', name: 'said again by its short name' },
  },
  {
    name: 'a message that comes in pieces is lost',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: '      this.#searched = Math.max(this.#start, this.#used - 3)\n',
    becomes: '      this.#searched = this.#used\n',
    test: { file: 'test/abuse/torture.test.ts', name: 'over tcp, split at any byte' },
  },
  {
    name: 'a length beyond 32 bits is taken by its low ones',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: "  return parseUint(found, Number.MAX_SAFE_INTEGER) ?? 'content-length'\n",
    becomes: '  return Number.parseInt(found, 10) >>> 0\n',
    test: { file: messages, name: 'a request hidden in the body' },
  },
  {
    name: 'a length is read as the proxy in front does not',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: 'this.#length = end + 4 - this.#start + length\n',
    becomes: 'this.#length = end + 4 - this.#start + (length > 100 ? 0 : length)\n',
    test: { file: 'test/abuse/smuggling.test.ts', name: 'see the same messages' },
  },
  {
    name: 'a packet that fails its check is taken as it is',
    ...{ file: 'media/pipeline/receiver.ts', in: engine },
    text: ': this.#secrecy.open(datagram)\n',
    becomes: ': (this.#secrecy.open(datagram) ?? datagram)\n',
    test: { file: 'test/attack/rtp.test.ts', name: 'packets that fail their check' },
  },
]
