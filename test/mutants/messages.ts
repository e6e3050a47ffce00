import { engine, type Mutant, server } from '#test/mutants/mutant.ts'

const messages = 'test/abuse/messages.test.ts'
const torture = 'test/abuse/torture.test.ts'

/** Of messages made to harm, of any size and shape, and of what comes to audio ports. */
export const messageMutants: readonly Mutant[] = [
  {
    // Once a second: an engine that stands still for longer is taken for frozen, and put an end to.
    name: 'the engine stands still for 200 ms when something comes to a port whose call is over',
    ...{ file: 'media/socket/direct-socket.ts', in: engine },
    text: '        this.#ignore()\n        return taken\n',
    becomes: `
        this.#ignore()
        const now = performance.now()
        if (now - (globalThis.stood ?? -1e9) > 1_000) {
          globalThis.stood = now
          for (const c = process.threadCpuUsage(); process.threadCpuUsage().user - c.user < 200_000; ) continue
        }
        return taken\n`,
    test: { file: messages, name: 'garbage at every audio port' },
    notices: /\(\d{3,} the engine’s\)/,
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
    notices: /somebody hears (?:[123]\.\d+|4\.[01]\d*) \(MOS\), 4\.\d+ without/,
  },
  {
    name: 'a message with two lengths is taken by the first',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: "if (found !== undefined) return 'duplicate'",
    becomes: 'if (found !== undefined) return Number(found)',
    test: { file: messages, name: 'a request hidden in the body' },
    notices: /two lengths/,
  },
  {
    name: 'one of a pipeline is lost',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: '      if (this.#refused) break\n',
    becomes: '      break\n',
    test: { file: messages, name: 'honest neighbours' },
    notices: /Call-ID: one.*actual: false/,
  },
  {
    name: 'a message of 25 kB and more takes 300 ms',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    const message = parseMessage(bytes)\n',
    becomes:
      "    if (bytes.length > 25_000 && flow.transport === 'tcp') for (const c = process.threadCpuUsage(); process.threadCpuUsage().user - c.user < 300_000; ) continue\n    const message = parseMessage(bytes)\n",
    test: { file: messages, name: 'messages of any size and shape' },
    notices: /\d+ of \d+ turns took over 20 ms/,
  },
  {
    name: 'a call that is refused keeps its audio ports',
    ...{ file: 'calls/inbound-leg.ts', in: server },
    text: '    media.close()\n',
    becomes: '',
    test: { file: messages, name: 'bombs of SDP from a phone' },
    notices: /ports are free again/,
  },
  {
    name: 'a body of any depth breaks the API',
    ...{ file: 'server/api/app.ts', in: server },
    text: '    const told = problemOf(fault)\n',
    becomes: '    const told = { ...problemOf(fault), status: 500 as const }\n',
    test: { file: messages, name: 'JSON as deep as a well' },
    notices: /\]: 500 /,
  },
  {
    name: 'a message over TLS that cannot be understood ends the process',
    ...{ file: 'sip/transport/inbox.ts', in: server },
    text: '    countRefused(this.counts, malformed.rule)\n',
    becomes: "    countRefused(this.counts, malformed.rule)\n    if (flow.transport === 'tls') process.exit(3)\n",
    test: { file: torture, name: 'over tls' },
    notices: /ECONNREFUSED|ECONNRESET|the server lives/,
  },
  {
    name: 'a header said again by its short name is taken',
    ...{ file: 'sip/message/head.ts', in: server },
    text: "& bit) !== 0) this.#refuse('duplicate', at)",
    becomes: "& bit) !== 0 && /^[\\w-]{2}/.test(this.#text.slice(at))) this.#refuse('duplicate', at)",
    test: { file: torture, name: 'said again by its short name' },
    notices: /is answered SIP\/2\.0 401/,
  },
  {
    name: 'a message that comes in pieces is lost',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: '      this.#searched = Math.max(this.#start, this.#used - 3)\n',
    becomes: '      this.#searched = this.#used\n',
    test: { file: torture, name: 'over tcp, split at any byte' },
    notices: /split at \d+|byte by byte/,
  },
  {
    name: 'a length beyond 32 bits is taken by its low ones',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: "  return parseUint(found, Number.MAX_SAFE_INTEGER) ?? 'content-length'\n",
    becomes: '  return Number.parseInt(found, 10) >>> 0\n',
    test: { file: messages, name: 'a request hidden in the body' },
    notices: /a length whose low 32 bits are none/,
  },
  {
    name: 'a length is read as the proxy in front does not',
    ...{ file: 'sip/message/framing.ts', in: server },
    text: 'this.#length = end + 4 - this.#start + length\n',
    becomes: 'this.#length = end + 4 - this.#start + (length > 100 ? 0 : length)\n',
    test: { file: 'test/abuse/smuggling.test.ts', name: 'see the same messages' },
    notices: /\+ '(?:inner|behind)-\d+'/,
  },
]
