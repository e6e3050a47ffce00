import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { silentLog } from '#base/log.ts'
import { whyNotDirect } from '#media/socket/arrivals.ts'
import { bindDirect, DirectSocket } from '#media/socket/direct-socket.ts'
import { machineBinder } from '#media/socket/machine-binder.ts'
import { readSockaddr, SOCKADDR_BYTES, writeSockaddr } from '#media/socket/sockaddr.ts'
import { isBindFault } from '#media/socket/socket.ts'

const skip = whyNotDirect() ?? false

function bound(address = '127.0.0.1'): DirectSocket {
  for (;;) {
    const socket = bindDirect({ address, port: randomInt(24_000, 56_000) })
    if (socket instanceof DirectSocket) return socket
  }
}

/** UDP sockets of this process. */
function udpSockets(): number {
  const tables = ['udp', 'udp6'].map((name) => readFileSync(`/proc/self/net/${name}`, 'utf8')).join('')
  const links = readdirSync('/proc/self/fd').map((fd) => /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/self/fd/${fd}`))?.[1])
  return links.filter((inode) => inode !== undefined && tables.includes(` ${inode} `)).length
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

test('every address goes into a sockaddr and comes back the same; what is none does not go in', () => {
  const room = Buffer.alloc(SOCKADDR_BYTES)
  const port = fc.integer({ min: 0, max: 65_535 })
  fc.assert(
    fc.property(fc.ipV4(), port, (address, port) => {
      assert.equal(writeSockaddr(room, { address, port }), 16)
      assert.deepEqual(readSockaddr(room), { address, port })
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), port, (bytes, port) => {
      // The mapped ones come as IPv4.
      bytes[0] = 0x20
      const sockaddr = Buffer.concat([Buffer.from([10, 0, port >> 8, port & 255, 0, 0, 0, 0]), bytes, Buffer.alloc(4)])
      const address = readSockaddr(sockaddr)
      assert.ok(address !== null)
      assert.equal(writeSockaddr(room, address), 28)
      assert.deepEqual(room, sockaddr)
    }),
  )
  for (const wrong of ['', 'phone.example', '1.2.3', '::g', '1.2.3.4:5']) assert.equal(writeSockaddr(room, { address: wrong, port: 1 }), 0)
  for (const wrong of [-1, 65_536, 0.5, Number.NaN]) assert.equal(writeSockaddr(room, { address: '::1', port: wrong }), 0)
  assert.equal(readSockaddr(Buffer.alloc(SOCKADDR_BYTES)), null)
})

test('whatever is done with sockets, in whatever order, the process lives and no descriptor is left', { skip }, async () => {
  const remotes = ['127.0.0.1', '::1', '192.0.2.1', 'no address', '', 'fe80::1%nowhere']
  const remote = fc.record({ address: fc.constantFrom(...remotes), port: fc.constantFrom(-1, 0, 1, 9, 40_000, 65_535, 65_536, 2 ** 40) })
  const step = fc.oneof(
    fc.record({
      act: fc.constant('send' as const),
      socket: fc.nat(3),
      to: fc.nat(3),
      size: fc.constantFrom(0, 1, 13, 172, 2048, 65_507, 65_508, 70_000),
    }),
    fc.record({ act: fc.constant('send-off' as const), socket: fc.nat(3), to: remote, size: fc.nat(300) }),
    fc.record({ act: fc.constant('fix' as const), socket: fc.nat(3), to: fc.nat(3) }),
    fc.record({ act: fc.constant('fix-off' as const), socket: fc.nat(3), to: remote }),
    fc.record({ act: fc.constant('open' as const), socket: fc.nat(3) }),
    fc.record({ act: fc.constantFrom('listen' as const, 'ignore' as const, 'close' as const, 'turn' as const), socket: fc.nat(3) }),
  )
  const before = udpSockets()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const sockets = [bound(), bound('0.0.0.0'), bound('::1'), bound('::')]
      const at = (index: number): DirectSocket => sockets[index] as DirectSocket
      for (const each of steps) {
        const socket = at(each.socket)
        if (each.act === 'send') socket.send(Buffer.alloc(each.size, 7), at(each.to).local)
        else if (each.act === 'send-off') socket.send(Buffer.alloc(each.size), each.to)
        else if (each.act === 'fix') socket.fix(at(each.to).local)
        else if (each.act === 'fix-off') socket.fix(each.to)
        else if (each.act === 'open') socket.fix(null)
        else if (each.act === 'ignore') socket.receive = null
        else if (each.act === 'close') socket.close()
        else if (each.act === 'turn') await turn()
        else
          socket.receive = (packet, address, port) => {
            // An echo that ends, and now and then closes in the middle of what it hears.
            if (packet.length > 1) socket.send(packet.subarray(1, packet.length >> 1), { address, port })
            if (packet.length === 13) socket.close()
          }
      }
      await turn()
      for (const socket of sockets) socket.close()
    }),
    { numRuns: 150 },
  )
  assert.equal(udpSockets(), before)
})

test('who floods one socket, or many, does not keep the others waiting', { skip }, async () => {
  const [flooded, quiet, peer] = [bound(), bound(), bound()]
  const heard: string[] = []
  const done = Promise.withResolvers<void>()
  flooded.receive = () => void heard.push('flood')
  quiet.receive = () => {
    heard.push('quiet')
    done.resolve()
  }
  for (let i = 0; i < 200; i++) peer.send(Buffer.alloc(100), flooded.local)
  peer.send(Buffer.alloc(100), quiet.local)
  await done.promise
  for (const socket of [flooded, quiet, peer]) socket.close()
  assert.ok(heard.indexOf('quiet') <= 1, `${heard.indexOf('quiet')} came before the quiet one`)
})

test('when more wait than one look can name, each is heard in order, whoever closes in between', { skip }, async () => {
  const [peer, sockets] = [bound(), Array.from({ length: 150 }, () => bound())]
  const heard = sockets.map((): number[] => [])
  const done = Promise.withResolvers<void>()
  let left = 149 * 20 + 5
  for (const [index, socket] of sockets.entries())
    socket.receive = (packet) => {
      heard[index]?.push(packet[0] ?? -1)
      if (index === 7 && packet[0] === 4) socket.close()
      if (--left === 0) done.resolve()
    }
  for (let n = 0; n < 20; n++) for (const { local } of sockets) peer.send(Buffer.from([n]), local)
  await done.promise
  const all = Array.from({ length: 20 }, (_, n) => n)
  assert.deepEqual(
    heard,
    sockets.map((_, index) => (index === 7 ? all.slice(0, 5) : all)),
  )
  for (const socket of [peer, ...sockets]) socket.close()
})

test('a flood over ports that nobody listens on costs this process nothing, and the kernel little', { skip }, async () => {
  const [idle, peer] = [bound(), bound()]
  for (let i = 0; i < 500; i++) peer.send(Buffer.alloc(1000), idle.local)
  const [, ...table] = readFileSync('/proc/net/udp', 'utf8').trim().split('\n')
  const port = idle.local.port.toString(16).toUpperCase().padStart(4, '0')
  const waiting = table.map((line) => line.trim().split(/\s+/)).find(([, local]) => local?.endsWith(`:${port}`))?.[4]
  const kept = Number.parseInt(waiting?.split(':')[1] ?? '', 16)
  assert.ok(kept > 0 && kept <= 160_000, `${kept} bytes wait`)
  idle.close()
  peer.close()
})

test('what a receiver throws is what an uncaught exception is anywhere, and ticks and promises go on behind each packet', { skip }, () => {
  const program = `
    import { bindDirect } from '#media/socket/direct-socket.ts'
    const [a, b] = [1, 2].map(() => bindDirect({ address: '127.0.0.1', port: 0 }))
    process.on('uncaughtException', ({ message }) => {
      process.stdout.write(message + ' ')
      a.close(); b.close()
    })
    a.receive = async () => {
      process.nextTick(() => process.stdout.write('tick '))
      await null
      process.stdout.write('promise ')
      a.receive = () => { throw new Error('thrown') }
      b.send(Buffer.from('2'), a.local)
    }
    b.send(Buffer.from('1'), a.local)
    process.on('exit', () => process.stdout.write('end'))`
  const ran = run(['--input-type=module', '-e', program])
  assert.deepEqual([ran.stdout, ran.stderr, ran.status], ['tick promise thrown end', '', 0])
})

test('a socket that is open keeps the process alive, one that is closed does not', { skip }, () => {
  const program = `
    import { bindDirect } from '#media/socket/direct-socket.ts'
    const a = bindDirect({ address: '127.0.0.1', port: 0 })
    setTimeout(() => { process.stdout.write('alive'); a.close() }, 20).unref()`
  assert.equal(run(['--input-type=module', '-e', program]).stdout, 'alive')
})

test('without a descriptor to spare a port is refused by name', { skip }, () => {
  const program = `
    import { bindDirect } from '#media/socket/direct-socket.ts'
    const opened = []
    for (;;) {
      const socket = bindDirect({ address: '127.0.0.1', port: 0 })
      if ('kind' in socket) { console.log(JSON.stringify(socket)); break }
      opened.push(socket)
    }
    for (const each of opened) each.close()
    console.log('kind' in bindDirect({ address: '127.0.0.1', port: 0 }))
    process.exit()`
  const node = `"${process.execPath}" --disable-warning=ExperimentalWarning --input-type=module -e '${program.replaceAll("'", `'\\''`)}'`
  const ran = spawnSync('sh', ['-c', `ulimit -n 64; exec ${node}`], { cwd: project, encoding: 'utf8' })
  assert.equal(ran.stdout, '{"kind":"refused","port":0,"code":"EMFILE"}\nfalse\n', ran.stderr)
})

test('where Node is told to do without node:ffi, packets go through node:dgram', () => {
  const program = `
    import { machineBinder } from '#media/socket/machine-binder.ts'
    const log = { info: (text, { why }) => console.log(text + ': ' + why) }
    const pair = await (await machineBinder(log)).bind({ address: '127.0.0.1', port: 0 })
    console.log(pair.rtp?.constructor.name ?? pair.code)
    process.exit()`
  const ran = run(['--no-experimental-ffi', '--input-type=module', '-e', program])
  assert.match(ran.stdout, /^packets go through node:dgram, which costs more: this Node has no node:ffi/)
  assert.match(ran.stdout, /\nUdpSocket\n$/)
})

test('the machine’s binder takes system calls where it can', { skip }, async () => {
  const binder = await machineBinder(silentLog)
  let pair
  // Another program may have those.
  do pair = await binder.bind({ address: '127.0.0.1', port: 2 * randomInt(12_000, 28_000) })
  while (isBindFault(pair) && pair.kind === 'taken')
  assert.ok(!isBindFault(pair))
  assert.ok(pair.rtp instanceof DirectSocket)
  pair.rtp.close()
  pair.rtcp.close()
})

const project = join(import.meta.dirname, '../..')

function run(words: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
    cwd: project,
    encoding: 'utf8',
    timeout: 20_000,
  })
}
