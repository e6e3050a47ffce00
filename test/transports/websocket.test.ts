import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Api } from '#test/support/api.ts'
import { webSocketCarrier } from '#test/support/carrier.ts'
import { header } from '#test/support/wire.ts'
import { type WireCall, WirePhone } from '#test/support/wire-phone.ts'
import { RunningSystem } from '#test/system/running-system.ts'

const documents = [
  {
    ...{ kind: 'company', id: 'sockets', name: 'Sockets', timezone: 'Europe/Riga', country: 'LV', language: 'en' },
    sipDomains: ['sockets.example'],
  },
  ...['101', '102'].flatMap((user) => [
    { kind: 'device', id: user, username: user, password: `Sockets.${user}`, encryption: 'off' },
    { kind: 'extension', id: user, number: user, target: { device: user } },
  ]),
]
const accountOf = (user: string): { user: string; domain: string; password: string } => ({
  ...{ user, domain: 'sockets.example', password: `Sockets.${user}` },
})

describe('phones over WebSocket and IPv6', () => {
  let system: RunningSystem
  let api: Api

  before(async () => {
    system = await RunningSystem.start({ CENTRALA_SIP_ADDRESSES: '127.0.0.1,::1' })
    const operator = await Api.of(system.settings, 'operator', 'demo')
    await operator.give('PUT', '/v1/configuration', { documents })
    api = await Api.of(system.settings, 'page')
  })
  after(async () => system[Symbol.asyncDispose]())

  const overUdp = (user: string, address: '127.0.0.1' | '::1'): Promise<WirePhone> =>
    WirePhone.open(accountOf(user), { address, port: system.settings.sip.port }, address)
  const overWebSocket = async (user: string, scheme: 'ws' | 'wss'): Promise<WirePhone> => {
    const { sip, folders } = system.settings
    const port = scheme === 'ws' ? sip.ws.port : sip.tls.wssPort
    // The certificate that the system made itself, by the authority that it gives out.
    const ca = await readFile(join(folders.data, 'certificates', 'authority.pem'), 'utf8')
    return WirePhone.over(accountOf(user), await webSocketCarrier(`${scheme}://127.0.0.1:${port}/sip`, ca))
  }
  /** One calls the other, both speak, both hear, the caller hangs up. */
  const talk = async (caller: WirePhone, callee: WirePhone, number: string): Promise<readonly [WireCall, WireCall]> => {
    const [made, taken] = await Promise.all([caller.call(number), callee.answered()])
    assert.equal(made.status, 200)
    using _one = caller.ear.speak(made.audioAt)
    using _other = callee.ear.speak(taken.audioAt)
    await Promise.all([caller.ear.sound(500), callee.ear.sound(500)])
    const over = taken.ended()
    assert.equal((await made.request('BYE')).status, 200)
    await over
    caller.ear.forget()
    callee.ear.forget()
    return [made, taken]
  }

  for (const scheme of ['ws', 'wss'] as const) {
    test(`a phone over ${scheme} registers, calls a phone over UDP, and is called back over its own connection`, async () => {
      await using socket = await overWebSocket('101', scheme)
      await using plain = await overUdp('102', '127.0.0.1')
      assert.equal((await socket.register()).status, 200)
      assert.equal((await plain.register()).status, 200)
      const { devices } = await api.get<{ devices: { username: string; contacts: { transport: string }[] }[] }>('/v1/devices')
      assert.deepEqual(
        devices.find(({ username }) => username === '101')?.contacts.map(({ transport }) => transport),
        [scheme],
      )
      const [made] = await talk(socket, plain, '102')
      assert.match(header(made.message, 'contact'), /;transport=ws>/)
      const [, taken] = await talk(plain, socket, '101')
      assert.match(header(taken.message, 'via'), scheme === 'ws' ? /^SIP\/2\.0\/WS / : /^SIP\/2\.0\/WSS /)
    })
  }

  test('a phone on IPv6 and one on IPv4 call each other, and each hears the other on its own family', async () => {
    await using six = await overUdp('101', '::1')
    await using four = await overUdp('102', '127.0.0.1')
    assert.equal((await six.register()).status, 200)
    assert.equal((await four.register()).status, 200)
    const [made, taken] = await talk(six, four, '102')
    assert.equal(made.audioAt.address, '::1')
    assert.equal(taken.audioAt.address, '127.0.0.1')
    assert.match(header(made.message, 'contact'), /@?\[::1\]:\d+/)
    assert.match(made.message.body, /^o=.* IN IP6 ::1\r?$/m)
    const [back, received] = await talk(four, six, '101')
    assert.equal(back.audioAt.address, '127.0.0.1')
    assert.equal(received.audioAt.address, '::1')
    assert.match(header(received.message, 'via'), /^SIP\/2\.0\/UDP \[::1\]:\d+/)
    assert.match(received.message.first, /^INVITE sip:101@\[::1\]:\d+/)
  })
})
