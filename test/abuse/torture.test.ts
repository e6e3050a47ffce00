import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { stranger } from '#test/abuse/flood.ts'
import { Siege } from '#test/abuse/siege.ts'
import { mutated, SeededDice } from '#tools/fuzz/mutate.ts'
import { sipSeeds } from '#tools/fuzz/seeds.ts'

const transports = ['udp', 'tcp', 'tls', 'ws'] as const
type Carried = (typeof transports)[number]

const [first, ...others] = sipSeeds()
const seeds = [first ?? Buffer.alloc(0), ...others] as const
/** Made of the seeds by chance, the same each time, and not too large for a datagram. */
const changed = 300
/** From one address; each may owe so much that it is banned before long. */
const fromOne = 60

const domain = 'survival.example'
/** Headers that may stand once (RFC 3261 §7.3.1) and have a short name: what one element reads in the first another may read in the second. */
const single: readonly [name: string, short: string, one: string, other: string][] = [
  ['From', 'f', `<sip:100@${domain}>;tag=one`, `<sip:1000@${domain}>;tag=other`],
  ['To', 't', `<sip:2000@${domain}>`, `<sip:2001@${domain}>`],
  ['Call-ID', 'i', 'one', 'other'],
  ['Content-Length', 'l', '0', '5'],
  ['Content-Type', 'c', 'text/plain', 'application/sdp'],
  ['Event', 'o', 'dialog', 'presence'],
  ['Refer-To', 'r', `<sip:2000@${domain}>`, `<sip:2001@${domain}>`],
  ['Referred-By', 'b', `<sip:2000@${domain}>`, `<sip:2001@${domain}>`],
  ['Session-Expires', 'x', '1800', '90'],
  ['Subject', 's', 'one', 'other'],
]

/** What carries messages to the system, from an address of its own. */
interface Way {
  send(bytes: Uint8Array): void
  /** Text of what came. */
  readonly heard: { text: string }
  close(): void
}

describe('messages that no parser likes, over every transport', () => {
  let siege: Siege
  before(async () => void (siege = await Siege.open()))
  after(() => siege.end())

  for (const [nth, transport] of transports.entries()) {
    test(`over ${transport}: those of RFC 4475 and 5118, and ${changed} made of them; whoever comes next is answered`, async () => {
      const dice = new SeededDice(nth + 1)
      const all = [...seeds, ...Array.from({ length: changed }, () => mutated(seeds, dice))].filter(({ length }) => length < 60_000)
      await siege.beside(async () => {
        for (let at = 0; at < all.length; at += fromOne) {
          const from = `127.${60 + nth}.0.${at / fromOne + 1}`
          for (const bytes of all.slice(at, at + fromOne)) {
            // A stream is closed at the first message whose end is not known.
            const way = await open(transport, from)
            way.send(bytes)
            if (transport !== 'udp') await pause(2)
            way.close()
          }
          await answersNext(transport, `127.${60 + nth}.1.${at / fromOne + 1}`)
        }
      })
    })
  }

  test('over tcp, split at any byte: the same as in one piece', async () => {
    const [one, two] = ['one', 'two'].map((id) => stranger('OPTIONS', '127.64.0.1').replace('/UDP', '/TCP').replaceAll('{n}', id))
    const bytes = Buffer.from(`${one}\r\n\r\n${two}`)
    await siege.beside(async () => {
      for (let at = 1; at < bytes.length; at += 7) {
        const socket = connect({
          host: '127.0.0.1',
          port: siege.target.port,
          localAddress: `127.64.${at >> 8}.${(at & 255) + 1}`,
          noDelay: true,
        })
        const heard = { text: '' }
        socket.on('data', (chunk: Buffer) => (heard.text += chunk.toString()))
        await once(socket, 'connect')
        socket.write(bytes.subarray(0, at))
        await pause(2)
        socket.write(bytes.subarray(at))
        await until(
          () => /Call-ID: flood-one[^]*Call-ID: flood-two/.test(heard.text),
          () => `split at ${at}: ${heard.text}`,
        )
        assert.equal(heard.text.match(/^SIP\/2\.0 401/gm)?.length, 2)
        socket.destroy()
      }
      const dripping = connect({ host: '127.0.0.1', port: siege.target.port, localAddress: '127.65.0.1', noDelay: true })
      const heard = { text: '' }
      dripping.on('data', (chunk: Buffer) => (heard.text += chunk.toString()))
      for (const byte of bytes) {
        dripping.write(Buffer.of(byte))
        if (byte === 10) await pause(1)
      }
      await until(
        () => heard.text.match(/^SIP\/2\.0 401/gm)?.length === 2,
        () => `byte by byte: ${heard.text}`,
      )
      dripping.destroy()
    })
  })

  test('over udp, a header that may stand once said again by its short name, or spelt otherwise: a bad request, whichever comes first', async () => {
    await siege.beside(async () => {
      for (const [nth, [name, short, one, other]] of single.entries()) {
        const from = `127.66.0.${nth + 1}`
        const odd = [...name].map((letter, i) => (i % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('')
        const request = stranger('OPTIONS', from).replace(new RegExp(`^${name}: .*\r\n`, 'm'), '')
        for (const [i, spelt] of [short, short.toUpperCase(), `${short} `, odd].entries()) {
          const lines = [`${name}: ${one}\r\n`, `${spelt}: ${other}\r\n`]
          for (const both of [lines, lines.toReversed()]) {
            const text = request.replace('Max-Forwards', `${both.join('')}Max-Forwards`)
            await answers('udp', from, text.replaceAll('{n}', `${nth}x${i}`), '400')
          }
        }
      }
    })
  })

  const answersNext = (transport: Carried, from: string): Promise<void> =>
    answers(transport, from, stranger('OPTIONS', from).replace('/UDP', `/${transport.toUpperCase()}`).replaceAll('{n}', from), '401')

  async function answers(transport: Carried, from: string, text: string, status: string): Promise<void> {
    const way = await open(transport, from)
    const request = Buffer.from(text)
    way.send(request)
    // A datagram may be lost on a machine that is busy (RFC 3261 §17.1.2.2).
    const again = setInterval(() => transport === 'udp' && way.send(request), 500)
    await until(
      () => way.heard.text.startsWith(`SIP/2.0 ${status} `),
      () => `${transport} from ${from}: ${text} is answered ${way.heard.text}`,
    ).finally(() => {
      clearInterval(again)
      way.close()
    })
  }

  async function open(transport: Carried, from: string): Promise<Way> {
    const { sip } = siege.system.settings
    const heard = { text: '' }
    const hear = (bytes: Buffer): void => void (heard.text += bytes.toString('latin1'))
    if (transport === 'udp') {
      const socket = createSocket('udp4')
      socket.on('message', hear)
      await new Promise<void>((resolve) => socket.bind(0, from, resolve))
      return { heard, send: (bytes) => socket.send(bytes, sip.port, '127.0.0.1'), close: () => socket.close() }
    }
    if (transport === 'ws') {
      const socket = new WebSocket(`ws://127.0.0.1:${sip.ws.port}${sip.ws.path}`, 'sip', { localAddress: from })
      socket.on('message', hear)
      socket.on('error', () => undefined)
      await once(socket, 'open')
      return { heard, send: (bytes) => socket.send(bytes), close: () => socket.terminate() }
    }
    const at = { host: '127.0.0.1', port: transport === 'tls' ? sip.tls.port : sip.port, localAddress: from }
    const socket: Socket = transport === 'tls' ? connectTls({ ...at, rejectUnauthorized: false }) : connect(at)
    socket.on('data', hear)
    socket.on('error', () => undefined)
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect')
    return { heard, send: (bytes) => void socket.write(bytes), close: () => void socket.destroy() }
  }
})

async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let i = 0; !condition(); i++) {
    assert.ok(i < 1_000, what())
    await pause(10)
  }
}
