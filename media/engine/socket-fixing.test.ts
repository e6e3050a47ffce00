import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SocketAddress } from '#media/engine.ts'
import { SocketFixing } from '#media/engine/socket-fixing.ts'
import type { PacketSocket } from '#media/socket/socket.ts'

const peer: SocketAddress = { address: '192.0.2.7', port: 4000 }

/** A socket at an address that does nothing but be fixed and opened again. */
function socketAt(address: string): PacketSocket & { to: SocketAddress | null } {
  return {
    local: { address, port: 5000 },
    receive: null,
    overhear: null,
    to: null,
    get fixed() {
      return this.to !== null
    },
    fix(remote) {
      this.to = remote
    },
    send: () => undefined,
    close: () => undefined,
  }
}

/** Hears the peer every 20 ms from one instant to another, and keeps house every 100 ms to the end. */
function live(fixing: SocketFixing, heard: { from: number; to: number }, end: number): void {
  for (let now = heard.from; now <= end; now += 20) {
    if (now <= heard.to) fixing.heard(now)
    if (now % 100 === 0) fixing.housekeep(now)
  }
}

test('a socket bound to one address is fixed as soon as the peer is known', () => {
  const socket = socketAt('192.0.2.1')
  new SocketFixing(socket).aim(peer)
  assert.deepEqual(socket.to, peer)
})

test('on a wildcard address it is fixed once the peer is heard, and stays so when the peer goes on', () => {
  const socket = socketAt('0.0.0.0')
  const fixing = new SocketFixing(socket)
  fixing.aim(peer)
  assert.equal(socket.fixed, false)
  live(fixing, { from: 0, to: 3500 }, 20_000)
  assert.deepEqual(socket.to, peer)
})

test('when the peer falls silent with the fixing the socket is opened again, for good', () => {
  const socket = socketAt('0.0.0.0')
  const fixing = new SocketFixing(socket)
  fixing.aim(peer)
  live(fixing, { from: 0, to: 0 }, 600)
  assert.equal(socket.fixed, false)
  live(fixing, { from: 600, to: 5000 }, 5000)
  assert.equal(socket.fixed, false)
})

test('what had waited in the socket before it was fixed is no proof that the peer is still heard', () => {
  const socket = socketAt('0.0.0.0')
  const fixing = new SocketFixing(socket)
  fixing.aim(peer)
  // A busy machine: a second of audio is read at once, the first of it fixes the socket.
  for (let i = 0; i < 50; i++) fixing.heard(1000)
  for (let i = 0; i < 20; i++) fixing.heard(1080)
  live(fixing, { from: 1100, to: 1000 }, 1600)
  assert.equal(socket.fixed, false)
})
