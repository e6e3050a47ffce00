import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { Endpoint, SocketAddress } from '#media/engine.ts'
import { MediaClient } from '#media/engine/client.ts'
import { openLocalEngine } from '#media/engine/local.ts'
import { machineRandom } from '#media/engine/machine-random.ts'
import { rtp, streamTo, told } from '#media/engine/test-rig.ts'
import { dialUnix } from '#media/engine/unix-dial.ts'
import { isBindFault, type PacketSocket } from '#media/socket/socket.ts'
import { bindUdp } from '#media/socket/udp-socket.ts'

const MAIN = join(import.meta.dirname, 'main.ts')
/** Wide enough that two engines may share a part of it. */
const rangePorts = 400
/** Of a range above the ports that the machine gives out by itself (Linux: up to 60,999). */
const firstPort = (): number => 2 * randomInt(30_500, 32_500)
const ADDRESS = '127.0.0.1'

/** A phone on a real socket. */
class UdpPhone {
  readonly socket: PacketSocket
  #sequence = 1
  #waiting: ((packet: Buffer) => void)[] = []

  constructor(socket: PacketSocket) {
    this.socket = socket
    socket.receive = (packet) => {
      for (const tell of this.#waiting.splice(0)) tell(packet)
    }
  }

  static async open(): Promise<UdpPhone> {
    const socket = await bindUdp({ address: ADDRESS, port: 0 })
    assert.ok(!isBindFault(socket as never))
    return new UdpPhone(socket as PacketSocket)
  }

  next(): Promise<Buffer> {
    return new Promise((resolve) => void this.#waiting.push(resolve))
  }

  say(to: SocketAddress, fields: Partial<Parameters<typeof rtp>[0]> = {}): void {
    this.socket.send(rtp({ sequence: this.#sequence++, ...fields }), to)
  }

  /** Talks to an endpoint until `other` hears it. */
  async reaches(to: Endpoint, other: UdpPhone): Promise<Buffer> {
    const heard = other.next()
    const talking = setInterval(() => this.say(to.local), 20)
    this.say(to.local)
    const packet = await heard
    clearInterval(talking)
    return packet
  }
}

/** An engine process that is started again when it dies, as the keeper does. */
class EngineProcess implements AsyncDisposable {
  readonly path: string
  readonly #folder: string
  readonly #first = firstPort()
  #child: ChildProcess | null = null
  #wanted = true

  private constructor(folder: string) {
    this.#folder = folder
    this.path = join(folder, 'engine.sock')
  }

  static async start(): Promise<EngineProcess> {
    const engine = new EngineProcess(await mkdtemp(join(tmpdir(), 'engine-')))
    await engine.#run()
    return engine
  }

  async #run(): Promise<void> {
    const ports = ['--first-port', String(this.#first), '--last-port', String(this.#first + rangePorts - 1)]
    const child = spawn(process.execPath, [MAIN, '--socket', this.path, ...ports, '--address', ADDRESS, '--folder', this.#folder], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    child.once('exit', () => {
      if (this.#wanted) void this.#run()
    })
    const [message] = await once(child, 'message')
    assert.deepEqual(message, { kind: 'ready' })
  }

  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Resolves when it is dead, before it is back. */
  async die(): Promise<void> {
    const child = this.#child
    this.kill()
    if (child !== null) await once(child, 'exit')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#wanted = false
    const exited = this.#child === null ? null : once(this.#child, 'exit')
    this.#child?.kill('SIGTERM')
    const [code] = (await exited) ?? [0]
    assert.equal(code, 0)
    await rm(this.#folder, { recursive: true })
  }
}

async function attach(engine: EngineProcess): Promise<MediaClient> {
  const client = new MediaClient({ clock: systemClock, random: machineRandom(), log: silentLog }, [dialUnix(engine.path)])
  assert.equal(await client.whenReady(10_000), 1)
  return client
}

function opened(client: MediaClient, events = told()): Endpoint {
  const endpoint = client.open(events)
  assert.ok(endpoint !== null)
  return endpoint
}

test('a call goes on without its server, and a new server takes it over with the events it missed', async () => {
  await using engine = await EngineProcess.start()
  const [a, b] = [await UdpPhone.open(), await UdpPhone.open()]
  const first = await attach(engine)
  const [endA, endB] = [opened(first), opened(first)]
  const abandoned = opened(first)
  endA.aim(streamTo(a.socket.local))
  endB.aim(streamTo(b.socket.local))
  endA.join(endB)
  await a.reaches(endA, b)
  const kept = [endA.keep(), endB.keep()] as const
  first.close()

  await a.reaches(endA, b)
  await b.reaches(endB, a)
  for (const end of [false, true, true]) {
    a.say(endA.local, { payloadType: 101, timestamp: 9000, payload: Buffer.from([5, end ? 0x8a : 0x0a, 3, 0x20]) })
  }
  await a.reaches(endA, b)

  const second = await attach(engine)
  const pressed = Promise.withResolvers<string>()
  const revivals: string[] = []
  const events = { onDigit: pressed.resolve, onRevived: () => void revivals.push('revived') }
  const [newA, newB] = [second.adopt(kept[0], events), second.adopt(kept[1], {})]
  second.sweep()
  assert.equal(await pressed.promise, '5')
  assert.deepEqual(newA.local, endA.local)
  await a.reaches(newA, b)
  newA.part()
  const played = Promise.withResolvers<void>()
  const c = second.open({ onPlayed: () => played.resolve() })
  assert.ok(c !== null)
  c.aim(streamTo(a.socket.local))
  c.play([{ kind: 'tone', tone: 'beep', ms: 40 }])
  await played.promise
  newB.join(c)
  await a.reaches(c, b)
  assert.deepEqual(revivals, [])
  assert.notDeepEqual(c.local, abandoned.local)
  second.close()
  for (const phone of [a, b]) phone.socket.close()
})

test('a killed engine is set up again on the same ports: joins, latches and prompts', async () => {
  await using engine = await EngineProcess.start()
  const [a, b, c] = [await UdpPhone.open(), await UdpPhone.open(), await UdpPhone.open()]
  const client = await attach(engine)
  const revived = [0, 1, 2].map(() => Promise.withResolvers<void>())
  const latched = Promise.withResolvers<void>()
  const [endA, endB, endC] = revived.map(({ resolve }) => client.open({ onRevived: resolve, onAudio: () => latched.resolve() }))
  assert.ok(endA && endB && endC)
  endA.aim(streamTo({ address: '10.0.0.1', port: 4000 }, { accept: { mode: 'latch', address: ADDRESS } }))
  endB.aim(streamTo(b.socket.local))
  endC.aim(streamTo(c.socket.local))
  endA.join(endB)
  endC.play([{ kind: 'tone', tone: 'ringback' }])
  await a.reaches(endA, b)
  // What the engine has not told yet dies with it.
  await latched.promise
  await b.reaches(endB, a)
  await c.next()

  engine.kill()
  await Promise.all(revived.map(({ promise }) => promise))
  // B first: the new engine sends to A only if it was told where A's latch was.
  await b.reaches(endB, a)
  await a.reaches(endA, b)
  await c.next()
  const fresh = client.open({})
  assert.ok(fresh !== null)
  assert.ok(![endA, endB, endC].some(({ local }) => local.port === fresh.local.port))
  client.close()
  for (const phone of [a, b, c]) phone.socket.close()
})

test('while its engine is dead a client keeps what it is told, and the new engine does it', async () => {
  await using engine = await EngineProcess.start()
  const [a, b] = [await UdpPhone.open(), await UdpPhone.open()]
  const client = await attach(engine)
  const revived = Promise.withResolvers<void>()
  const played: string[] = []
  const endA = client.open({ onRevived: revived.resolve, onPlayed: (_, why) => void played.push(why) })
  assert.ok(endA !== null)
  endA.aim(streamTo(a.socket.local))
  await engine.die()
  const endB = opened(client)
  endB.aim(streamTo(b.socket.local))
  endA.join(endB)
  await revived.promise
  await a.reaches(endA, b)
  endB.close()
  endA.close()
  client.close()
  for (const phone of [a, b]) phone.socket.close()
})

test('a newer server cuts the older off, whose commands then do nothing', async () => {
  await using engine = await EngineProcess.start()
  const [a, b] = [await UdpPhone.open(), await UdpPhone.open()]
  const older = await attach(engine)
  const [endA, endB] = [opened(older), opened(older)]
  endA.aim(streamTo(a.socket.local))
  endB.aim(streamTo(b.socket.local))
  endA.join(endB)
  await a.reaches(endA, b)
  const newer = await attach(engine)
  endA.close()
  endB.part()
  await a.reaches(newer.adopt(endA.keep(), {}), b)
  older.close()
  newer.close()
  for (const phone of [a, b]) phone.socket.close()
})

test('an engine that can bind no port says which, who has it, and what to set', async () => {
  const blocker = await UdpPhone.open()
  const port = blocker.socket.local.port - (blocker.socket.local.port % 2)
  const folder = await mkdtemp(join(tmpdir(), 'engine-'))
  const range = ['--first-port', String(port), '--last-port', String(port + 1)]
  const child = spawn(process.execPath, [MAIN, '--socket', join(folder, 's'), ...range, '--address', ADDRESS], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const exited = once(child, 'exit')
  const [message] = (await once(child, 'message')) as [{ kind: string; why: string }]
  assert.equal(message.kind, 'refused')
  assert.match(message.why, new RegExp(`port ${blocker.socket.local.port} is taken by .*process ${process.pid}.*CENTRALA_RTP_FIRST_PORT`))
  assert.equal((await exited)[0], 78)
  blocker.socket.close()
  await rm(folder, { recursive: true })
})

test('an engine in this process leaves no socket behind', async () => {
  const sockets = (): number => process.getActiveResourcesInfo().filter((each) => each === 'UDPWrap').length
  const before = sockets()
  const first = firstPort()
  const engine = await openLocalEngine({ range: { addresses: [ADDRESS], first, last: first + rangePorts - 1 }, folder: '.' })
  const [a, b] = [await UdpPhone.open(), await UdpPhone.open()]
  const [endA, endB] = [opened(engine.media), opened(engine.media)]
  endA.aim(streamTo(a.socket.local))
  endB.aim(streamTo(b.socket.local))
  endA.join(endB)
  await a.reaches(endA, b)
  assert.ok(sockets() > before)
  endA.close()
  await engine[Symbol.asyncDispose]()
  for (const phone of [a, b]) phone.socket.close()
  // Closed sockets are gone from the list a turn later.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(sockets(), before)
})

for (const bound of [ADDRESS, '0.0.0.0']) {
  test(`on real sockets bound to ${bound} an attacker on another address gets and injects nothing`, async () => {
    const first = firstPort()
    const engine = await openLocalEngine({ range: { addresses: [bound], first, last: first + rangePorts - 1 }, folder: '.' })
    const [a, b] = [await UdpPhone.open(), await UdpPhone.open()]
    const [endA, endB] = [opened(engine.media), opened(engine.media)]
    const targets = [endA, endB].map(({ local }) => ({ address: ADDRESS, port: local.port }))
    const attacker = await bindUdp({ address: '127.0.0.66', port: 0 })
    assert.ok('send' in attacker)
    let leaked = 0
    attacker.receive = () => void leaked++
    let injected = 0
    const evil = Buffer.alloc(160, 0x66)
    let said = 0
    /** Attacks, then talks: who hears the talk would have heard the attack, sent before to the same socket. */
    const round = async (): Promise<void> => {
      for (const { address, port } of targets) {
        for (let n = 0; n < 5; n++) {
          attacker.send(rtp({ sequence: ++said, payload: evil }), { address, port })
          attacker.send(Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]), { address, port: port + 1 })
        }
      }
      for (const [from, to, target] of [
        [a, b, targets[0]],
        [b, a, targets[1]],
      ] as const) {
        assert.ok(target !== undefined)
        const heard = to.next()
        from.say(target)
        if ((await heard).subarray(12).equals(evil)) injected++
      }
    }
    endA.aim(streamTo(a.socket.local, { accept: { mode: 'latch', address: ADDRESS } }))
    endB.aim(streamTo(b.socket.local))
    endA.join(endB)
    for (let n = 0; n < 10; n++) await round()
    endA.aim(streamTo(a.socket.local, { accept: { mode: 'latch', address: ADDRESS }, ptimeMs: 30 }))
    for (let n = 0; n < 10; n++) await round()
    assert.deepEqual([leaked, injected], [0, 0])
    await engine[Symbol.asyncDispose]()
    for (const socket of [a.socket, b.socket, attacker]) socket.close()
  })
}
